-- Written by the daemon of commit c2b42d5 (25 Nov 2026), which was then killed: what each task used.
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
INSERT INTO "events" VALUES(1,1.79571920249838924404e+09,'task.accepted','00000000000000000000000000000001','{"text": "the mean of x"}');
INSERT INTO "events" VALUES(2,1.79571920250028419494e+09,'task.decision','00000000000000000000000000000001','{"round": 0}');
INSERT INTO "events" VALUES(3,1.79571920250595736499e+09,'task.candidate','00000000000000000000000000000001','{"round": 0}');
INSERT INTO "events" VALUES(4,1.79571920251120042801e+09,'task.inspection','00000000000000000000000000000001','{"round": 0}');
INSERT INTO "events" VALUES(5,1.7957192025137479305e+09,'task.rehearsal','00000000000000000000000000000001','{"round": 0}');
INSERT INTO "events" VALUES(6,1.79571920251781892772e+09,'task.run','00000000000000000000000000000001','{"round": 0}');
INSERT INTO "events" VALUES(7,1.79571920252169775966e+09,'task.decision','00000000000000000000000000000001','{"round": 0}');
INSERT INTO "events" VALUES(8,1.79571920252662587161e+09,'task.done','00000000000000000000000000000001','{}');
INSERT INTO "events" VALUES(9,1.79571920254132795331e+09,'task.accepted','00000000000000000000000000000002','{"text": "plot größe by 年"}');
INSERT INTO "events" VALUES(10,1.79571920254734468456e+09,'task.decision','00000000000000000000000000000002','{"round": 0}');
INSERT INTO "events" VALUES(11,1.7957192025500030518e+09,'task.decision','00000000000000000000000000000002','{"round": 2}');
INSERT INTO "events" VALUES(12,1.79571920255266356467e+09,'task.failed','00000000000000000000000000000002','{"reason": "no candidate worked"}');
INSERT INTO "events" VALUES(13,1.79571920256992530826e+09,'task.accepted','00000000000000000000000000000003','{"text": "a task of yesterday"}');
INSERT INTO "events" VALUES(14,1.79571920257491683963e+09,'task.decision','00000000000000000000000000000003','{"round": 0}');
INSERT INTO "events" VALUES(15,1.79571920258080554005e+09,'task.cancelled','00000000000000000000000000000003','{"reason": "cancelled by the user"}');
INSERT INTO "events" VALUES(16,1.79571920259668684006e+09,'task.accepted','00000000000000000000000000000004','{"text": "never ended"}');
INSERT INTO "events" VALUES(17,1.79571920260163497926e+09,'task.decision','00000000000000000000000000000004','{"round": 0}');
INSERT INTO "events" VALUES(18,1.79571920263256263735e+09,'task.accepted','00000000000000000000000000000005','{"text": "print(''hello from a worker'')\n6 * 7"}');
INSERT INTO "events" VALUES(19,1.79571920265393590926e+09,'task.running','00000000000000000000000000000005','{}');
INSERT INTO "events" VALUES(20,1.79571920396362113949e+09,'task.done','00000000000000000000000000000005','{}');
INSERT INTO "events" VALUES(21,1.79571920397683668134e+09,'task.accepted','00000000000000000000000000000006','{"text": "1 / 0"}');
INSERT INTO "events" VALUES(22,1.7957192039951627255e+09,'task.running','00000000000000000000000000000006','{}');
INSERT INTO "events" VALUES(23,1.79571920438392591476e+09,'task.failed','00000000000000000000000000000006','{"reason": "ZeroDivisionError: division by zero"}');
INSERT INTO "events" VALUES(24,1.79571920439031195641e+09,'task.accepted','00000000000000000000000000000007','{"text": "import time\ntime.sleep(600)"}');
INSERT INTO "events" VALUES(25,1.79571920441104340552e+09,'task.accepted','00000000000000000000000000000008','{"text": "''after''"}');
INSERT INTO "events" VALUES(26,1.79571920441901516918e+09,'task.running','00000000000000000000000000000007','{}');
INSERT INTO "events" VALUES(27,1.79571920742341971399e+09,'task.feedback','00000000000000000000000000000001','{"round": 0}');
CREATE TABLE jobs (
    task     TEXT PRIMARY KEY REFERENCES tasks (id) ON DELETE CASCADE,
    job      TEXT NOT NULL,
    timeline TEXT NOT NULL,
    ended    TEXT
);
INSERT INTO "jobs" VALUES('00000000000000000000000000000005','{"id":"00000000000000000000000000000005","code":"print(''hello from a worker'')\n6 * 7","variables":null,"binds":[],"touches":[],"folder":"","search_path":[],"grants":{"write":[],"network":false,"processes":false,"devices":[],"unlocked":false},"limits":{"cores":1,"affinity":[],"memory_bytes":null,"gpus":null,"nice":5,"output_bytes":10485760,"result_bytes":1073741824},"lock_later":false,"repeatable":true,"priority":0,"resources":{}}','{"accepted":1795719202.632375,"started":1795719202.6555746,"ended":1795719203.9529555,"priority":null}','{"type":"ended","state":"done","message":"","results":{"folder":"@DATA@/results/00000000000000000000000000000005","variables":[],"missing":[]},"answered":null,"seconds":0.013,"peak_bytes":56274944}');
INSERT INTO "jobs" VALUES('00000000000000000000000000000006','{"id":"00000000000000000000000000000006","code":"1 / 0","variables":null,"binds":[],"touches":[],"folder":"","search_path":[],"grants":{"write":[],"network":false,"processes":false,"devices":[],"unlocked":false},"limits":{"cores":1,"affinity":[],"memory_bytes":null,"gpus":null,"nice":5,"output_bytes":10485760,"result_bytes":1073741824},"lock_later":false,"repeatable":true,"priority":0,"resources":{}}','{"accepted":1795719203.9767501,"started":1795719203.9996226,"ended":1795719204.3797367,"priority":null}','{"type":"ended","state":"failed","message":"ZeroDivisionError: division by zero","results":{"folder":"@DATA@/results/00000000000000000000000000000006","variables":[],"missing":[]},"answered":null,"seconds":0.0853,"peak_bytes":57450496}');
INSERT INTO "jobs" VALUES('00000000000000000000000000000007','{"id":"00000000000000000000000000000007","code":"import time\ntime.sleep(600)","variables":null,"binds":[],"touches":[],"folder":"","search_path":[],"grants":{"write":[],"network":false,"processes":false,"devices":[],"unlocked":false},"limits":{"cores":1,"affinity":[],"memory_bytes":null,"gpus":null,"nice":5,"output_bytes":10485760,"result_bytes":1073741824},"lock_later":false,"repeatable":true,"priority":0,"resources":{}}','{"accepted":1795719204.390253,"started":1795719204.423824,"ended":null,"priority":null}',NULL);
INSERT INTO "jobs" VALUES('00000000000000000000000000000008','{"id":"00000000000000000000000000000008","code":"''after''","variables":null,"binds":[],"touches":[],"folder":"","search_path":[],"grants":{"write":[],"network":false,"processes":false,"devices":[],"unlocked":false},"limits":{"cores":1,"affinity":[],"memory_bytes":null,"gpus":null,"nice":5,"output_bytes":10485760,"result_bytes":1073741824},"lock_later":false,"repeatable":true,"priority":0,"resources":{}}','{"accepted":1795719204.410947,"started":null,"ended":null,"priority":null}',NULL);
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
INSERT INTO "observations" VALUES(1,1.79571920252989625926e+09,'00000000000000000000000000000001','answer','qwen2.5-coder-1.5b, checked','{"request_chars": 13.0, "prompt_tokens": 0.0, "candidates": 1.0, "data_bytes": 0.0}','{"seconds": 2.4047514312000002, "tokens": 80.0, "memory": 104857600, "cost": 1.0, "probability": 0.8840579710144928}','{"seconds": null, "tokens": 0.0, "memory": null, "cost": null, "succeeded": 0.55}');
INSERT INTO "observations" VALUES(2,1.79571920255717825884e+09,'00000000000000000000000000000002','answer','qwen2.5-coder-1.5b, checked','{"request_chars": 15.0, "prompt_tokens": 0.0, "candidates": 1.0, "data_bytes": 0.0}','{"seconds": 2.4047514312000002, "tokens": 80.0, "memory": 104857600, "cost": 1.0, "probability": 0.8840579710144928}','{"seconds": 0.011374235153198242, "tokens": 0.0, "memory": null, "cost": null, "succeeded": 0.0}');
INSERT INTO "observations" VALUES(3,1.79571920396814250944e+09,'00000000000000000000000000000005','run 0f642cbaa5ac','workers','{"request_chars": 34.0, "prompt_tokens": 0.0, "candidates": 1.0, "data_bytes": 0.0}','{"seconds": 10.0, "tokens": 80.0, "memory": 104857600, "cost": 1.0, "probability": 0.9}','{"seconds": 1.3143387740055914, "tokens": null, "memory": 56274944.0, "cost": null, "succeeded": true}');
INSERT INTO "observations" VALUES(4,1.79571920438478302957e+09,'00000000000000000000000000000006','run 9638596ed284','workers','{"request_chars": 5.0, "prompt_tokens": 0.0, "candidates": 1.0, "data_bytes": 0.0}','{"seconds": 10.0, "tokens": 80.0, "memory": 104857600, "cost": 1.0, "probability": 0.9}','{"seconds": 0.38994023599661887, "tokens": null, "memory": 57450496.0, "cost": null, "succeeded": false}');
INSERT INTO "observations" VALUES(5,1.7957192074265737533e+09,'00000000000000000000000000000001','answer','qwen2.5-coder-1.5b, checked','{"request_chars": 13.0, "prompt_tokens": 0.0, "candidates": 1.0, "data_bytes": 0.0}','{"seconds": 2.4047514312000002, "tokens": 80.0, "memory": 104857600, "cost": 1.0, "probability": 0.8840579710144928}','{"seconds": null, "tokens": null, "memory": null, "cost": null, "succeeded": true}');
CREATE TABLE outputs (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    task TEXT NOT NULL REFERENCES jobs (task) ON DELETE CASCADE,
    at   REAL NOT NULL,
    item TEXT NOT NULL
);
INSERT INTO "outputs" VALUES(1,'00000000000000000000000000000005',1.79571920389773797988e+09,'{"type":"started","confinement":"Landlock v7 + seccomp","pid":24371}');
INSERT INTO "outputs" VALUES(2,'00000000000000000000000000000005',1.79571920391052246095e+09,'{"type":"stream","name":"stdout","text":"hello from a worker\n"}');
INSERT INTO "outputs" VALUES(3,'00000000000000000000000000000005',1.79571920391161799434e+09,'{"type":"result","data":{"text/plain":"42"},"metadata":{}}');
INSERT INTO "outputs" VALUES(4,'00000000000000000000000000000006',1.79571920426249718666e+09,'{"type":"started","confinement":"Landlock v7 + seccomp","pid":24407}');
INSERT INTO "outputs" VALUES(5,'00000000000000000000000000000006',1.79571920434050297729e+09,'{"type":"error","name":"ZeroDivisionError","value":"division by zero","traceback":["\u001b[31m---------------------------------------------------------------------------\u001b[39m","\u001b[31mZeroDivisionError\u001b[39m                         Traceback (most recent call last)","\u001b[36mCell\u001b[39m\u001b[36m \u001b[39m\u001b[32mIn[1]\u001b[39m\u001b[32m, line 1\u001b[39m\n\u001b[32m----> \u001b[39m\u001b[32m1\u001b[39m \u001b[32m1\u001b[39m / \u001b[32m0\u001b[39m\n","\u001b[31mZeroDivisionError\u001b[39m: division by zero"]}');
INSERT INTO "outputs" VALUES(6,'00000000000000000000000000000007',1.79571920468572759628e+09,'{"type":"started","confinement":"Landlock v7 + seccomp","pid":24431}');
CREATE TABLE records (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    task    TEXT NOT NULL REFERENCES tasks (id),
    key     TEXT UNIQUE,
    at      REAL NOT NULL,
    record  TEXT NOT NULL
);
INSERT INTO "records" VALUES(1,'00000000000000000000000000000001','strategy-00000000000000000000000000000001',1.79571920250024986273e+09,'{"type":"decision","round":0,"decision":"strategy","why":"qwen2.5-coder-1.5b, checked (balanced): 83 % likely to be right after 8.0 s, 5.6 s of it to load the model, by what is known in general; also considered: qwen2.5-coder-1.5b, thorough (83 %, 10 s), qwen2.5-coder-0.5b, checked (66 %, 4.6 s), qwen2.5-coder-1.5b, single (67 %, 7.5 s) and 2 more."}');
INSERT INTO "records" VALUES(2,'00000000000000000000000000000001','cbfbf595b3084b2f88725260d0c59223',1.79571920250592303273e+09,'{"type":"candidate","round":0,"candidate":{"text":"```python\nx.mean()\n```","index":0,"confidence":null,"doubt":null,"model":"qwen2.5-coder-0.5b","device":"","finish":"stop","timings":{"prompt_tokens":0,"cached_tokens":0,"prompt_ms":0.0,"tokens":0,"decode_ms":0.0,"first_token_ms":0.0},"messages":[{"role":"system","content":"You write Python."},{"role":"user","content":"the mean of x"}]}}');
INSERT INTO "records" VALUES(3,'00000000000000000000000000000001','135be7cd0c7f424da20460ddaa48ac63',1.79571920251115417477e+09,'{"type":"inspection","round":0,"index":0,"code":"x.mean()","findings":[{"kind":"syntax","severity":"error","message":"a finding of the kind syntax","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"undefined-name","severity":"error","message":"a finding of the kind undefined-name","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"unknown-attribute","severity":"error","message":"a finding of the kind unknown-attribute","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"unknown-column","severity":"error","message":"a finding of the kind unknown-column","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"shadowed-builtin","severity":"error","message":"a finding of the kind shadowed-builtin","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"rebinds-name","severity":"error","message":"a finding of the kind rebinds-name","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"capability","severity":"error","message":"a finding of the kind capability","line":1,"name":"x","suggestions":["X"],"capability":"network"},{"kind":"endless-loop","severity":"error","message":"a finding of the kind endless-loop","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"hidden-code","severity":"error","message":"a finding of the kind hidden-code","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"mended","severity":"error","message":"a finding of the kind mended","line":1,"name":"x","suggestions":["X"],"capability":null}]}');
INSERT INTO "records" VALUES(4,'00000000000000000000000000000001','b7a18c37fea8466c8b43f1619708e3ba',1.79571920251369977002e+09,'{"type":"rehearsal","round":0,"index":0,"code":"x.mean()","rehearsal":{"status":"refused","reason":"","confinement":"landlock, seccomp","error":{"type":"PermissionError","message":"out.csv","line":1,"source":"x.mean()","traceback":"..."},"output":"2.0\n","outcome":{},"doubts":["the request asks for one number, this is a table"],"shape":{"kind":"other","rows":0,"figures":0,"columns":[]},"changes":[{"name":"y","kind":"created","type":"float","detail":""}],"refusals":[{"capability":"write files","what":"write out.csv"},{"capability":"network","what":"connect to example.org:443"}],"seconds":0.2,"peak_bytes":1000}}');
INSERT INTO "records" VALUES(5,'00000000000000000000000000000001','3b66c2c8521e46f2855e7816b0dfb440',1.79571920251778578757e+09,'{"type":"run","round":0,"index":0,"code":"x.mean()","run":{"status":"ok","error":null,"changes":[{"name":"y","kind":"created","type":"float","detail":""}],"seconds":0.01}}');
INSERT INTO "records" VALUES(6,'00000000000000000000000000000001','0ed89473917c43a6aabe545360139bd1',1.79571920252167510981e+09,'{"type":"decision","round":0,"decision":"approved","why":"the user said yes"}');
INSERT INTO "records" VALUES(7,'00000000000000000000000000000002','strategy-00000000000000000000000000000002',1.79571920254727149007e+09,'{"type":"decision","round":0,"decision":"strategy","why":"qwen2.5-coder-1.5b, checked (balanced): 77 % likely to be right after 8.0 s, 5.6 s of it to load the model, by 1 like it here; also considered: qwen2.5-coder-1.5b, thorough (78 %, 10 s), qwen2.5-coder-0.5b, checked (62 %, 4.6 s), qwen2.5-coder-0.5b, thorough (63 %, 6.3 s) and 2 more."}');
INSERT INTO "records" VALUES(8,'00000000000000000000000000000002','765280f5713a4051b5ad70f4a39636ec',1.7957192025499837399e+09,'{"type":"decision","round":2,"decision":"gave up","why":"no candidate worked"}');
INSERT INTO "records" VALUES(9,'00000000000000000000000000000003','strategy-00000000000000000000000000000003',1.79571920257488465313e+09,'{"type":"decision","round":0,"decision":"strategy","why":"qwen2.5-coder-1.5b, thorough (balanced): 62 % likely to be right after 5.7 s, 5.6 s of it to load the model, by what is known in general; also considered: qwen2.5-coder-1.5b, checked (61 %, 5.6 s), qwen2.5-coder-0.5b, thorough (54 %, 3.0 s), qwen2.5-coder-0.5b, checked (52 %, 3.0 s) and 2 more."}');
INSERT INTO "records" VALUES(10,'00000000000000000000000000000004','strategy-00000000000000000000000000000004',1.79571920260160636899e+09,'{"type":"decision","round":0,"decision":"strategy","why":"qwen2.5-coder-1.5b, thorough (balanced): 62 % likely to be right after 5.7 s, 5.6 s of it to load the model, by what is known in general; also considered: qwen2.5-coder-1.5b, checked (61 %, 5.6 s), qwen2.5-coder-0.5b, thorough (54 %, 3.0 s), qwen2.5-coder-0.5b, checked (52 %, 3.0 s) and 2 more."}');
INSERT INTO "records" VALUES(11,'00000000000000000000000000000001',NULL,1.79571920742288446432e+09,'{"type":"feedback","round":0,"feedback":"up"}');
CREATE TABLE steps (
    id      TEXT PRIMARY KEY,
    task    TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    state   TEXT NOT NULL,
    changed REAL NOT NULL,
    record  TEXT NOT NULL
);
INSERT INTO "steps" VALUES('00000000000000000000000000000001/rehearsal-0-0-1795719202.516','00000000000000000000000000000001','done',1.79571920276692557332e+09,'{"id":"00000000000000000000000000000001/rehearsal-0-0-1795719202.516","task":"00000000000000000000000000000001","kind":"rehearsal","resource":"kernel of lesson.ipynb","state":"done","session":"3e0f6c2a-lesson","priority":50,"after":[],"created":1795719202.3160548,"planned":null,"spans":[{"start":1795719202.3160548,"end":1795719202.5160549}],"predicted":null,"predicted_p90":null,"why":""}');
INSERT INTO "steps" VALUES('00000000000000000000000000000001/run-0-0-1795719202.519','00000000000000000000000000000001','done',1.79571920276692557332e+09,'{"id":"00000000000000000000000000000001/run-0-0-1795719202.519","task":"00000000000000000000000000000001","kind":"kernel","resource":"kernel of lesson.ipynb","state":"done","session":"3e0f6c2a-lesson","priority":50,"after":[],"created":1795719202.5087693,"planned":null,"spans":[{"start":1795719202.5087693,"end":1795719202.5187693}],"predicted":null,"predicted_p90":null,"why":""}');
INSERT INTO "steps" VALUES('00000000000000000000000000000005','00000000000000000000000000000005','done',1.79571920402631711967e+09,'{"id":"00000000000000000000000000000005","task":"00000000000000000000000000000005","kind":"run","resource":"workers","state":"done","session":"3e0f6c2a-lesson","priority":50,"after":[],"created":1795719202.6523056,"planned":null,"spans":[{"start":1795719202.6534257,"end":1795719203.9722116}],"predicted":10.0,"predicted_p90":112.00307640464476,"why":"Started on workers: first in class normal; started at once."}');
INSERT INTO "steps" VALUES('00000000000000000000000000000006','00000000000000000000000000000006','failed',1.79571920453242063519e+09,'{"id":"00000000000000000000000000000006","task":"00000000000000000000000000000006","kind":"run","resource":"workers","state":"failed","session":"3e0f6c2a-lesson","priority":50,"after":[],"created":1795719203.9921737,"planned":null,"spans":[{"start":1795719203.9945657,"end":1795719204.386246}],"predicted":2.005293095425899,"predicted_p90":8.884996854873348,"why":"Started on workers: first in class normal; started at once."}');
INSERT INTO "steps" VALUES('00000000000000000000000000000007','00000000000000000000000000000007','running',1.79571920453242063519e+09,'{"id":"00000000000000000000000000000007","task":"00000000000000000000000000000007","kind":"run","resource":"workers","state":"running","session":"3e0f6c2a-lesson","priority":50,"after":[],"created":1795719204.404172,"planned":null,"spans":[{"start":1795719204.4112964,"end":null}],"predicted":0.9577988993846303,"predicted_p90":4.157168204474241,"why":"Started on workers: first in class normal; started at once."}');
INSERT INTO "steps" VALUES('00000000000000000000000000000008','00000000000000000000000000000008','waiting',1.79571920453242063519e+09,'{"id":"00000000000000000000000000000008","task":"00000000000000000000000000000008","kind":"run","resource":"","state":"waiting","session":"3e0f6c2a-lesson","priority":50,"after":["00000000000000000000000000000007"],"created":1795719204.418505,"planned":{"start":1795719205.3690066,"end":1795719206.321583},"spans":[],"predicted":0.9525763192226511,"predicted_p90":4.131408711357761,"why":""}');
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
INSERT INTO "tasks" VALUES(1,'00000000000000000000000000000001','ask','3e0f6c2a-lesson','the mean of x','{"mode":"auto","model":"qwen2.5-coder-1.5b","retries":2,"candidates":null,"fresh":false,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[],"background":false,"priority":50,"deadline":null,"after":[],"cores":1,"memory_bytes":null,"gpus":0,"on":""}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":24286,"started":1795719199.66,"cell":""}','done','',1.79571920249829316143e+09,1.7957192025265903473e+09,'up');
INSERT INTO "tasks" VALUES(2,'00000000000000000000000000000002','ask','3e0f6c2a-lesson','plot größe by 年','{"mode":"auto","model":"qwen2.5-coder-1.5b","retries":2,"candidates":null,"fresh":false,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[],"background":false,"priority":50,"deadline":null,"after":[],"cores":1,"memory_bytes":null,"gpus":0,"on":""}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":24286,"started":1795719199.66,"cell":""}','failed','no candidate worked',1.79571920254127717015e+09,1.79571920255265140534e+09,'');
INSERT INTO "tasks" VALUES(3,'00000000000000000000000000000003','ask','3e0f6c2a-lesson','a task of yesterday','{"mode":"auto","model":"qwen2.5-coder-1.5b","retries":3,"candidates":4,"fresh":false,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[],"background":false,"priority":50,"deadline":null,"after":[],"cores":1,"memory_bytes":null,"gpus":0,"on":""}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":24286,"started":1795719199.66,"cell":""}','cancelled','cancelled by the user',1.7957192025698833466e+09,1.79571920258079266549e+09,'');
INSERT INTO "tasks" VALUES(4,'00000000000000000000000000000004','ask','3e0f6c2a-lesson','never ended','{"mode":"auto","model":"qwen2.5-coder-1.5b","retries":3,"candidates":4,"fresh":false,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[],"background":false,"priority":50,"deadline":null,"after":[],"cores":1,"memory_bytes":null,"gpus":0,"on":""}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":24286,"started":1795719199.66,"cell":""}','accepted','',1.79571920259663820262e+09,1.79571920259663820262e+09,'');
INSERT INTO "tasks" VALUES(5,'00000000000000000000000000000005','run','3e0f6c2a-lesson','print(''hello from a worker'')
6 * 7','{"mode":"auto","model":"auto","retries":null,"candidates":null,"fresh":false,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[],"background":true,"priority":50,"deadline":null,"after":[],"cores":1,"memory_bytes":null,"gpus":0,"on":""}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":24286,"started":1795719199.66,"cell":""}','done','',1.79571920263237500186e+09,1.79571920396360254282e+09,'');
INSERT INTO "tasks" VALUES(6,'00000000000000000000000000000006','run','3e0f6c2a-lesson','1 / 0','{"mode":"auto","model":"auto","retries":null,"candidates":null,"fresh":false,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[],"background":true,"priority":50,"deadline":null,"after":[],"cores":1,"memory_bytes":null,"gpus":0,"on":""}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":24286,"started":1795719199.66,"cell":""}','failed','ZeroDivisionError: division by zero',1.79571920397675013547e+09,1.79571920438390851019e+09,'');
INSERT INTO "tasks" VALUES(7,'00000000000000000000000000000007','run','3e0f6c2a-lesson','import time
time.sleep(600)','{"mode":"auto","model":"auto","retries":null,"candidates":null,"fresh":false,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[],"background":true,"priority":50,"deadline":null,"after":[],"cores":1,"memory_bytes":null,"gpus":0,"on":""}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":24286,"started":1795719199.66,"cell":""}','running','',1.79571920439025306702e+09,1.79571920441899847984e+09,'');
INSERT INTO "tasks" VALUES(8,'00000000000000000000000000000008','run','3e0f6c2a-lesson','''after''','{"mode":"auto","model":"auto","retries":null,"candidates":null,"fresh":false,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[],"background":true,"priority":50,"deadline":null,"after":["7"],"cores":1,"memory_bytes":null,"gpus":0,"on":""}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":24286,"started":1795719199.66,"cell":""}','accepted','',1.79571920441094708444e+09,1.79571920441094708444e+09,'');
CREATE TABLE usage (
    task  TEXT PRIMARY KEY REFERENCES tasks (id) ON DELETE CASCADE,
    usage TEXT NOT NULL
);
INSERT INTO "usage" VALUES('00000000000000000000000000000007','{"task":7,"gpu_seconds":0.0,"gpu_memory_peak":0,"cpu_seconds":0.0,"engine_seconds":0.0}');
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
