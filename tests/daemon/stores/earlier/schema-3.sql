-- Written by the daemon of commit dc8ff19 (25 Nov 2026), which was then killed: thumbs, and what was learned.
BEGIN TRANSACTION;
CREATE TABLE estimates (
    only  INTEGER PRIMARY KEY CHECK (only = 1),
    upto  INTEGER NOT NULL,
    state TEXT NOT NULL
);
CREATE TABLE events (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      REAL NOT NULL,
    kind    TEXT NOT NULL,
    task    TEXT,
    data    TEXT NOT NULL
);
INSERT INTO "events" VALUES(1,1.7957191917137801647e+09,'task.accepted','00000000000000000000000000000001','{"text": "the mean of x"}');
INSERT INTO "events" VALUES(2,1.79571919171740579605e+09,'task.decision','00000000000000000000000000000001','{"round": 0}');
INSERT INTO "events" VALUES(3,1.79571919172482299801e+09,'task.candidate','00000000000000000000000000000001','{"round": 0}');
INSERT INTO "events" VALUES(4,1.79571919172997760769e+09,'task.inspection','00000000000000000000000000000001','{"round": 0}');
INSERT INTO "events" VALUES(5,1.79571919173300600046e+09,'task.rehearsal','00000000000000000000000000000001','{"round": 0}');
INSERT INTO "events" VALUES(6,1.79571919173756575582e+09,'task.run','00000000000000000000000000000001','{"round": 0}');
INSERT INTO "events" VALUES(7,1.79571919174516677862e+09,'task.decision','00000000000000000000000000000001','{"round": 0}');
INSERT INTO "events" VALUES(8,1.79571919174934554099e+09,'task.done','00000000000000000000000000000001','{}');
INSERT INTO "events" VALUES(9,1.79571919176314353941e+09,'task.accepted','00000000000000000000000000000002','{"text": "plot größe by 年"}');
INSERT INTO "events" VALUES(10,1.795719191763831377e+09,'task.decision','00000000000000000000000000000002','{"round": 0}');
INSERT INTO "events" VALUES(11,1.79571919176649308206e+09,'task.decision','00000000000000000000000000000002','{"round": 2}');
INSERT INTO "events" VALUES(12,1.79571919176844382285e+09,'task.failed','00000000000000000000000000000002','{"reason": "no candidate worked"}');
INSERT INTO "events" VALUES(13,1.79571919178098678591e+09,'task.accepted','00000000000000000000000000000003','{"text": "a task of yesterday"}');
INSERT INTO "events" VALUES(14,1.79571919178171801566e+09,'task.decision','00000000000000000000000000000003','{"round": 0}');
INSERT INTO "events" VALUES(15,1.79571919178457283967e+09,'task.cancelled','00000000000000000000000000000003','{"reason": "cancelled by the user"}');
INSERT INTO "events" VALUES(16,1.79571919179485321041e+09,'task.accepted','00000000000000000000000000000004','{"text": "never ended"}');
INSERT INTO "events" VALUES(17,1.79571919179561686518e+09,'task.decision','00000000000000000000000000000004','{"round": 0}');
INSERT INTO "events" VALUES(18,1.79571919181599259376e+09,'task.accepted','00000000000000000000000000000005','{"text": "print(''hello from a worker'')\n6 * 7"}');
INSERT INTO "events" VALUES(19,1.79571919181896138195e+09,'task.running','00000000000000000000000000000005','{}');
INSERT INTO "events" VALUES(20,1.79571919262122130398e+09,'task.done','00000000000000000000000000000005','{}');
INSERT INTO "events" VALUES(21,1.79571919262819814679e+09,'task.accepted','00000000000000000000000000000006','{"text": "1 / 0"}');
INSERT INTO "events" VALUES(22,1.79571919263005399698e+09,'task.running','00000000000000000000000000000006','{}');
INSERT INTO "events" VALUES(23,1.79571919327134633058e+09,'task.failed','00000000000000000000000000000006','{"reason": "ZeroDivisionError: division by zero"}');
INSERT INTO "events" VALUES(24,1.79571919329747271536e+09,'task.accepted','00000000000000000000000000000007','{"text": "import time\ntime.sleep(600)"}');
INSERT INTO "events" VALUES(25,1.79571919330919051172e+09,'task.running','00000000000000000000000000000007','{}');
INSERT INTO "events" VALUES(26,1.79571919332074856753e+09,'task.accepted','00000000000000000000000000000008','{"text": "''after''"}');
INSERT INTO "events" VALUES(27,1.79571919633533573154e+09,'task.feedback','00000000000000000000000000000001','{"round": 0}');
CREATE TABLE jobs (
    task     TEXT PRIMARY KEY REFERENCES tasks (id) ON DELETE CASCADE,
    job      TEXT NOT NULL,
    timeline TEXT NOT NULL,
    ended    TEXT
);
INSERT INTO "jobs" VALUES('00000000000000000000000000000005','{"id":"00000000000000000000000000000005","code":"print(''hello from a worker'')\n6 * 7","variables":null,"binds":[],"touches":[],"folder":"","search_path":[],"grants":{"write":[],"network":false,"processes":false,"devices":[],"unlocked":false},"limits":{"cores":1,"affinity":[],"memory_bytes":null,"gpus":null,"nice":5,"output_bytes":10485760,"result_bytes":1073741824},"lock_later":false,"repeatable":true,"priority":0,"resources":{}}','{"accepted":1795719191.8158896,"started":1795719191.8195775,"ended":1795719192.6201124,"priority":null}','{"type":"ended","state":"done","message":"","results":{"folder":"@DATA@/results/00000000000000000000000000000005","variables":[],"missing":[]},"answered":null,"seconds":0.0166,"peak_bytes":56254464}');
INSERT INTO "jobs" VALUES('00000000000000000000000000000006','{"id":"00000000000000000000000000000006","code":"1 / 0","variables":null,"binds":[],"touches":[],"folder":"","search_path":[],"grants":{"write":[],"network":false,"processes":false,"devices":[],"unlocked":false},"limits":{"cores":1,"affinity":[],"memory_bytes":null,"gpus":null,"nice":5,"output_bytes":10485760,"result_bytes":1073741824},"lock_later":false,"repeatable":true,"priority":0,"resources":{}}','{"accepted":1795719192.6281495,"started":1795719192.6319807,"ended":1795719193.263729,"priority":null}','{"type":"ended","state":"failed","message":"ZeroDivisionError: division by zero","results":{"folder":"@DATA@/results/00000000000000000000000000000006","variables":[],"missing":[]},"answered":null,"seconds":0.1036,"peak_bytes":57638912}');
INSERT INTO "jobs" VALUES('00000000000000000000000000000007','{"id":"00000000000000000000000000000007","code":"import time\ntime.sleep(600)","variables":null,"binds":[],"touches":[],"folder":"","search_path":[],"grants":{"write":[],"network":false,"processes":false,"devices":[],"unlocked":false},"limits":{"cores":1,"affinity":[],"memory_bytes":null,"gpus":null,"nice":5,"output_bytes":10485760,"result_bytes":1073741824},"lock_later":false,"repeatable":true,"priority":0,"resources":{}}','{"accepted":1795719193.297402,"started":1795719193.3158138,"ended":null,"priority":null}',NULL);
INSERT INTO "jobs" VALUES('00000000000000000000000000000008','{"id":"00000000000000000000000000000008","code":"''after''","variables":null,"binds":[],"touches":[],"folder":"","search_path":[],"grants":{"write":[],"network":false,"processes":false,"devices":[],"unlocked":false},"limits":{"cores":1,"affinity":[],"memory_bytes":null,"gpus":null,"nice":5,"output_bytes":10485760,"result_bytes":1073741824},"lock_later":false,"repeatable":true,"priority":0,"resources":{}}','{"accepted":1795719193.320645,"started":null,"ended":null,"priority":null}',NULL);
CREATE TABLE observations (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    at       REAL NOT NULL,
    task     TEXT,
    kind     TEXT NOT NULL,
    resource TEXT NOT NULL,
    features TEXT NOT NULL,
    prior    TEXT NOT NULL,
    outcome  TEXT NOT NULL
);
INSERT INTO "observations" VALUES(1,1.79571919175294160845e+09,'00000000000000000000000000000001','answer','qwen2.5-coder-1.5b, checked','{"request_chars": 13.0, "prompt_tokens": 0.0, "candidates": 1.0, "data_bytes": 0.0}','{"seconds": 2.4047514312000002, "tokens": 80.0, "memory": 104857600, "cost": 1.0, "probability": 0.8840579710144928}','{"seconds": null, "tokens": 0.0, "memory": null, "cost": null, "succeeded": 0.55}');
INSERT INTO "observations" VALUES(2,1.79571919177081966399e+09,'00000000000000000000000000000002','answer','qwen2.5-coder-1.5b, checked','{"request_chars": 15.0, "prompt_tokens": 0.0, "candidates": 1.0, "data_bytes": 0.0}','{"seconds": 2.4047514312000002, "tokens": 80.0, "memory": 104857600, "cost": 1.0, "probability": 0.8840579710144928}','{"seconds": 0.005376577377319336, "tokens": 0.0, "memory": null, "cost": null, "succeeded": 0.0}');
INSERT INTO "observations" VALUES(3,1.79571919262216424945e+09,'00000000000000000000000000000005','run 0f642cbaa5ac','workers','{"request_chars": 34.0, "prompt_tokens": 0.0, "candidates": 1.0, "data_bytes": 0.0}','{"seconds": 10.0, "tokens": 80.0, "memory": 104857600, "cost": 1.0, "probability": 0.9}','{"seconds": 0.8033433129967307, "tokens": null, "memory": 56254464.0, "cost": null, "succeeded": true}');
INSERT INTO "observations" VALUES(4,1.7957191932798264027e+09,'00000000000000000000000000000006','run 9638596ed284','workers','{"request_chars": 5.0, "prompt_tokens": 0.0, "candidates": 1.0, "data_bytes": 0.0}','{"seconds": 10.0, "tokens": 80.0, "memory": 104857600, "cost": 1.0, "probability": 0.9}','{"seconds": 0.6497557180045987, "tokens": null, "memory": 57638912.0, "cost": null, "succeeded": false}');
INSERT INTO "observations" VALUES(5,1.79571919633865761762e+09,'00000000000000000000000000000001','answer','qwen2.5-coder-1.5b, checked','{"request_chars": 13.0, "prompt_tokens": 0.0, "candidates": 1.0, "data_bytes": 0.0}','{"seconds": 2.4047514312000002, "tokens": 80.0, "memory": 104857600, "cost": 1.0, "probability": 0.8840579710144928}','{"seconds": null, "tokens": null, "memory": null, "cost": null, "succeeded": true}');
CREATE TABLE outputs (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    task TEXT NOT NULL REFERENCES jobs (task) ON DELETE CASCADE,
    at   REAL NOT NULL,
    item TEXT NOT NULL
);
INSERT INTO "outputs" VALUES(1,'00000000000000000000000000000005',1.7957191925546684265e+09,'{"type":"started","confinement":"Landlock v7 + seccomp","pid":24104}');
INSERT INTO "outputs" VALUES(2,'00000000000000000000000000000005',1.79571919256614637378e+09,'{"type":"stream","name":"stdout","text":"hello from a worker\n"}');
INSERT INTO "outputs" VALUES(3,'00000000000000000000000000000005',1.79571919256671905522e+09,'{"type":"result","data":{"text/plain":"42"},"metadata":{}}');
INSERT INTO "outputs" VALUES(4,'00000000000000000000000000000006',1.79571919311359238626e+09,'{"type":"started","confinement":"Landlock v7 + seccomp","pid":24128}');
INSERT INTO "outputs" VALUES(5,'00000000000000000000000000000006',1.79571919321508789062e+09,'{"type":"error","name":"ZeroDivisionError","value":"division by zero","traceback":["\u001b[31m---------------------------------------------------------------------------\u001b[39m","\u001b[31mZeroDivisionError\u001b[39m                         Traceback (most recent call last)","\u001b[36mCell\u001b[39m\u001b[36m \u001b[39m\u001b[32mIn[1]\u001b[39m\u001b[32m, line 1\u001b[39m\n\u001b[32m----> \u001b[39m\u001b[32m1\u001b[39m \u001b[32m1\u001b[39m / \u001b[32m0\u001b[39m\n","\u001b[31mZeroDivisionError\u001b[39m: division by zero"]}');
INSERT INTO "outputs" VALUES(6,'00000000000000000000000000000007',1.7957191935982489586e+09,'{"type":"started","confinement":"Landlock v7 + seccomp","pid":24144}');
CREATE TABLE records (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    task    TEXT NOT NULL REFERENCES tasks (id),
    key     TEXT UNIQUE,
    at      REAL NOT NULL,
    record  TEXT NOT NULL
);
INSERT INTO "records" VALUES(1,'00000000000000000000000000000001','strategy-00000000000000000000000000000001',1.79571919171730947492e+09,'{"type":"decision","round":0,"decision":"strategy","why":"qwen2.5-coder-1.5b, checked (balanced): 83 % likely to be right after 8.0 s, 5.6 s of it to load the model, by what is known in general; also considered: qwen2.5-coder-1.5b, thorough (83 %, 10 s), qwen2.5-coder-0.5b, checked (66 %, 4.6 s), qwen2.5-coder-1.5b, single (67 %, 7.5 s) and 2 more."}');
INSERT INTO "records" VALUES(2,'00000000000000000000000000000001','2ab3daa7c09940ebaed4d20765e05979',1.79571919172472643853e+09,'{"type":"candidate","round":0,"candidate":{"text":"```python\nx.mean()\n```","index":0,"confidence":null,"doubt":null,"model":"qwen2.5-coder-0.5b","finish":"stop","timings":{"prompt_tokens":0,"cached_tokens":0,"prompt_ms":0.0,"tokens":0,"decode_ms":0.0,"first_token_ms":0.0},"messages":[{"role":"system","content":"You write Python."},{"role":"user","content":"the mean of x"}]}}');
INSERT INTO "records" VALUES(3,'00000000000000000000000000000001','f8f70aff00c14f3f823e062463ae0716',1.79571919172980904583e+09,'{"type":"inspection","round":0,"index":0,"code":"x.mean()","findings":[{"kind":"syntax","severity":"error","message":"a finding of the kind syntax","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"undefined-name","severity":"error","message":"a finding of the kind undefined-name","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"unknown-attribute","severity":"error","message":"a finding of the kind unknown-attribute","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"unknown-column","severity":"error","message":"a finding of the kind unknown-column","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"shadowed-builtin","severity":"error","message":"a finding of the kind shadowed-builtin","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"rebinds-name","severity":"error","message":"a finding of the kind rebinds-name","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"capability","severity":"error","message":"a finding of the kind capability","line":1,"name":"x","suggestions":["X"],"capability":"network"},{"kind":"endless-loop","severity":"error","message":"a finding of the kind endless-loop","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"hidden-code","severity":"error","message":"a finding of the kind hidden-code","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"mended","severity":"error","message":"a finding of the kind mended","line":1,"name":"x","suggestions":["X"],"capability":null}]}');
INSERT INTO "records" VALUES(4,'00000000000000000000000000000001','d65f7c25b5944064a90df01a8130805a',1.79571919173291254037e+09,'{"type":"rehearsal","round":0,"index":0,"code":"x.mean()","rehearsal":{"status":"refused","reason":"","confinement":"landlock, seccomp","error":{"type":"PermissionError","message":"out.csv","line":1,"source":"x.mean()","traceback":"..."},"output":"2.0\n","outcome":{},"doubts":["the request asks for one number, this is a table"],"shape":{"kind":"other","rows":0,"figures":0,"columns":[]},"changes":[{"name":"y","kind":"created","type":"float","detail":""}],"refusals":[{"capability":"write files","what":"write out.csv"},{"capability":"network","what":"connect to example.org:443"}],"seconds":0.2,"peak_bytes":1000}}');
INSERT INTO "records" VALUES(5,'00000000000000000000000000000001','452c8eeccfe84ede8085a6227d194fc4',1.79571919173751020433e+09,'{"type":"run","round":0,"index":0,"code":"x.mean()","run":{"status":"ok","error":null,"changes":[{"name":"y","kind":"created","type":"float","detail":""}],"seconds":0.01}}');
INSERT INTO "records" VALUES(6,'00000000000000000000000000000001','833eb76f81074ee4ac2a7ddc9b6e5b38',1.79571919174511814118e+09,'{"type":"decision","round":0,"decision":"approved","why":"the user said yes"}');
INSERT INTO "records" VALUES(7,'00000000000000000000000000000002','strategy-00000000000000000000000000000002',1.79571919176378369336e+09,'{"type":"decision","round":0,"decision":"strategy","why":"qwen2.5-coder-1.5b, checked (balanced): 77 % likely to be right after 8.0 s, 5.6 s of it to load the model, by 1 like it here; also considered: qwen2.5-coder-1.5b, thorough (78 %, 10 s), qwen2.5-coder-0.5b, checked (62 %, 4.6 s), qwen2.5-coder-0.5b, thorough (63 %, 6.3 s) and 2 more."}');
INSERT INTO "records" VALUES(8,'00000000000000000000000000000002','0884a6ee5c8740379c03f8b195bd3d3e',1.79571919176643419267e+09,'{"type":"decision","round":2,"decision":"gave up","why":"no candidate worked"}');
INSERT INTO "records" VALUES(9,'00000000000000000000000000000003','strategy-00000000000000000000000000000003',1.79571919178168582916e+09,'{"type":"decision","round":0,"decision":"strategy","why":"qwen2.5-coder-1.5b, thorough (balanced): 62 % likely to be right after 5.7 s, 5.6 s of it to load the model, by what is known in general; also considered: qwen2.5-coder-1.5b, checked (61 %, 5.6 s), qwen2.5-coder-0.5b, thorough (54 %, 3.0 s), qwen2.5-coder-0.5b, checked (52 %, 3.0 s) and 2 more."}');
INSERT INTO "records" VALUES(10,'00000000000000000000000000000004','strategy-00000000000000000000000000000004',1.79571919179559111594e+09,'{"type":"decision","round":0,"decision":"strategy","why":"qwen2.5-coder-1.5b, thorough (balanced): 62 % likely to be right after 5.7 s, 5.6 s of it to load the model, by what is known in general; also considered: qwen2.5-coder-1.5b, checked (61 %, 5.6 s), qwen2.5-coder-0.5b, thorough (54 %, 3.0 s), qwen2.5-coder-0.5b, checked (52 %, 3.0 s) and 2 more."}');
INSERT INTO "records" VALUES(11,'00000000000000000000000000000001',NULL,1.79571919633521389966e+09,'{"type":"feedback","round":0,"feedback":"up"}');
CREATE TABLE steps (
    id      TEXT PRIMARY KEY,
    task    TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    state   TEXT NOT NULL,
    changed REAL NOT NULL,
    record  TEXT NOT NULL
);
INSERT INTO "steps" VALUES('00000000000000000000000000000001/rehearsal-0-0-1795719191.736','00000000000000000000000000000001','done',1.79571919198745298378e+09,'{"id":"00000000000000000000000000000001/rehearsal-0-0-1795719191.736","task":"00000000000000000000000000000001","kind":"rehearsal","resource":"kernel of lesson.ipynb","state":"done","session":"3e0f6c2a-lesson","priority":50,"after":[],"created":1795719191.5355244,"planned":null,"spans":[{"start":1795719191.5355244,"end":1795719191.7355244}],"predicted":null,"predicted_p90":null,"why":""}');
INSERT INTO "steps" VALUES('00000000000000000000000000000001/run-0-0-1795719191.740','00000000000000000000000000000001','done',1.79571919198745298378e+09,'{"id":"00000000000000000000000000000001/run-0-0-1795719191.740","task":"00000000000000000000000000000001","kind":"kernel","resource":"kernel of lesson.ipynb","state":"done","session":"3e0f6c2a-lesson","priority":50,"after":[],"created":1795719191.7295244,"planned":null,"spans":[{"start":1795719191.7295244,"end":1795719191.7395244}],"predicted":null,"predicted_p90":null,"why":""}');
INSERT INTO "steps" VALUES('00000000000000000000000000000005','00000000000000000000000000000005','done',1.7957191927488238811e+09,'{"id":"00000000000000000000000000000005","task":"00000000000000000000000000000005","kind":"run","resource":"workers","state":"done","session":"3e0f6c2a-lesson","priority":50,"after":[],"created":1795719191.817951,"planned":null,"spans":[{"start":1795719191.8184648,"end":1795719192.6245086}],"predicted":10.0,"predicted_p90":112.00307640464476,"why":"Started on workers: first in class normal; started at once."}');
INSERT INTO "steps" VALUES('00000000000000000000000000000006','00000000000000000000000000000006','failed',1.79571919351518106454e+09,'{"id":"00000000000000000000000000000006","task":"00000000000000000000000000000006","kind":"run","resource":"workers","state":"failed","session":"3e0f6c2a-lesson","priority":50,"after":[],"created":1795719192.6294284,"planned":null,"spans":[{"start":1795719192.6297817,"end":1795719193.2843287}],"predicted":1.3579463673239214,"predicted_p90":6.753260368132191,"why":"Started on workers: first in class normal; started at once."}');
INSERT INTO "steps" VALUES('00000000000000000000000000000007','00000000000000000000000000000007','running',1.79571919351518106454e+09,'{"id":"00000000000000000000000000000007","task":"00000000000000000000000000000007","kind":"run","resource":"workers","state":"running","session":"3e0f6c2a-lesson","priority":50,"after":[],"created":1795719193.308313,"planned":null,"spans":[{"start":1795719193.3088276,"end":null}],"predicted":0.9603191336250145,"predicted_p90":3.638887011570379,"why":"Started on workers: first in class normal; started at once."}');
INSERT INTO "steps" VALUES('00000000000000000000000000000008','00000000000000000000000000000008','waiting',1.79571919351518106454e+09,'{"id":"00000000000000000000000000000008","task":"00000000000000000000000000000008","kind":"run","resource":"","state":"waiting","session":"3e0f6c2a-lesson","priority":50,"after":["00000000000000000000000000000007"],"created":1795719193.3223605,"planned":{"start":1795719194.2690697,"end":1795719195.2389605},"spans":[],"predicted":0.9698907629992992,"predicted_p90":3.672662158594796,"why":""}');
CREATE TABLE tasks (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    id      TEXT NOT NULL UNIQUE,
    kind    TEXT NOT NULL DEFAULT 'ask',
    session TEXT NOT NULL,
    text    TEXT NOT NULL,
    options TEXT NOT NULL,
    origin  TEXT NOT NULL,
    state   TEXT NOT NULL,
    reason  TEXT NOT NULL DEFAULT '',
    created REAL NOT NULL,
    updated REAL NOT NULL,
    feedback TEXT NOT NULL DEFAULT ''
);
INSERT INTO "tasks" VALUES(1,'00000000000000000000000000000001','ask','3e0f6c2a-lesson','the mean of x','{"mode":"auto","model":"qwen2.5-coder-1.5b","retries":2,"candidates":null,"fresh":false,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[],"background":false,"priority":50,"deadline":null,"after":[],"cores":1,"memory_bytes":null,"gpus":0,"on":""}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":24051,"started":1795719189.59,"cell":""}','done','',1.79571919171368026731e+09,1.79571919174929332729e+09,'up');
INSERT INTO "tasks" VALUES(2,'00000000000000000000000000000002','ask','3e0f6c2a-lesson','plot größe by 年','{"mode":"auto","model":"qwen2.5-coder-1.5b","retries":2,"candidates":null,"fresh":false,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[],"background":false,"priority":50,"deadline":null,"after":[],"cores":1,"memory_bytes":null,"gpus":0,"on":""}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":24051,"started":1795719189.59,"cell":""}','failed','no candidate worked',1.79571919176305222509e+09,1.79571919176842880253e+09,'');
INSERT INTO "tasks" VALUES(3,'00000000000000000000000000000003','ask','3e0f6c2a-lesson','a task of yesterday','{"mode":"auto","model":"qwen2.5-coder-1.5b","retries":3,"candidates":4,"fresh":false,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[],"background":false,"priority":50,"deadline":null,"after":[],"cores":1,"memory_bytes":null,"gpus":0,"on":""}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":24051,"started":1795719189.59,"cell":""}','cancelled','cancelled by the user',1.79571919178092694285e+09,1.7957191917845551968e+09,'');
INSERT INTO "tasks" VALUES(4,'00000000000000000000000000000004','ask','3e0f6c2a-lesson','never ended','{"mode":"auto","model":"qwen2.5-coder-1.5b","retries":3,"candidates":4,"fresh":false,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[],"background":false,"priority":50,"deadline":null,"after":[],"cores":1,"memory_bytes":null,"gpus":0,"on":""}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":24051,"started":1795719189.59,"cell":""}','accepted','',1.79571919179479289052e+09,1.79571919179479289052e+09,'');
INSERT INTO "tasks" VALUES(5,'00000000000000000000000000000005','run','3e0f6c2a-lesson','print(''hello from a worker'')
6 * 7','{"mode":"auto","model":"auto","retries":null,"candidates":null,"fresh":false,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[],"background":true,"priority":50,"deadline":null,"after":[],"cores":1,"memory_bytes":null,"gpus":0,"on":""}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":24051,"started":1795719189.59,"cell":""}','done','',1.79571919181588959693e+09,1.79571919262120199205e+09,'');
INSERT INTO "tasks" VALUES(6,'00000000000000000000000000000006','run','3e0f6c2a-lesson','1 / 0','{"mode":"auto","model":"auto","retries":null,"candidates":null,"fresh":false,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[],"background":true,"priority":50,"deadline":null,"after":[],"cores":1,"memory_bytes":null,"gpus":0,"on":""}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":24051,"started":1795719189.59,"cell":""}','failed','ZeroDivisionError: division by zero',1.79571919262814950948e+09,1.79571919327132725717e+09,'');
INSERT INTO "tasks" VALUES(7,'00000000000000000000000000000007','run','3e0f6c2a-lesson','import time
time.sleep(600)','{"mode":"auto","model":"auto","retries":null,"candidates":null,"fresh":false,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[],"background":true,"priority":50,"deadline":null,"after":[],"cores":1,"memory_bytes":null,"gpus":0,"on":""}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":24051,"started":1795719189.59,"cell":""}','running','',1.79571919329740190508e+09,1.79571919330917406081e+09,'');
INSERT INTO "tasks" VALUES(8,'00000000000000000000000000000008','run','3e0f6c2a-lesson','''after''','{"mode":"auto","model":"auto","retries":null,"candidates":null,"fresh":false,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[],"background":true,"priority":50,"deadline":null,"after":["7"],"cores":1,"memory_bytes":null,"gpus":0,"on":""}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":24051,"started":1795719189.59,"cell":""}','accepted','',1.79571919332064509388e+09,1.79571919332064509388e+09,'');
CREATE INDEX tasks_by_session ON tasks (session, number);
CREATE INDEX tasks_by_state ON tasks (state);
CREATE INDEX records_by_task ON records (task, id);
CREATE INDEX observations_by_kind ON observations (kind, id);
CREATE INDEX observations_by_task ON observations (task);
CREATE TRIGGER observations_of_forgotten AFTER DELETE ON tasks BEGIN
    UPDATE observations SET task = NULL, kind = CASE WHEN kind LIKE 'run %' THEN 'run' ELSE kind END
    WHERE task = OLD.id;
END;
CREATE INDEX steps_by_task ON steps (task);
CREATE INDEX steps_by_change ON steps (changed);
CREATE INDEX outputs_by_task ON outputs (task, id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('tasks',8);
INSERT INTO "sqlite_sequence" VALUES('events',27);
INSERT INTO "sqlite_sequence" VALUES('records',11);
INSERT INTO "sqlite_sequence" VALUES('observations',5);
INSERT INTO "sqlite_sequence" VALUES('outputs',6);
COMMIT;
PRAGMA user_version=3;
