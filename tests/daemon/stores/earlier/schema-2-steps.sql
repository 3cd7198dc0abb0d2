-- Written by the daemon of commit 410c7d1 (25 Nov 2026), which was then killed: one schedule, with its steps on disk.
BEGIN TRANSACTION;
CREATE TABLE events (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      REAL NOT NULL,
    kind    TEXT NOT NULL,
    task    TEXT,
    data    TEXT NOT NULL
);
INSERT INTO "events" VALUES(1,1.79571918221545290947e+09,'task.accepted','00000000000000000000000000000001','{"text": "the mean of x"}');
INSERT INTO "events" VALUES(2,1.79571918222117662424e+09,'task.candidate','00000000000000000000000000000001','{"round": 0}');
INSERT INTO "events" VALUES(3,1.79571918223390483856e+09,'task.inspection','00000000000000000000000000000001','{"round": 0}');
INSERT INTO "events" VALUES(4,1.79571918224146604542e+09,'task.rehearsal','00000000000000000000000000000001','{"round": 0}');
INSERT INTO "events" VALUES(5,1.79571918224974203109e+09,'task.run','00000000000000000000000000000001','{"round": 0}');
INSERT INTO "events" VALUES(6,1.79571918225736355777e+09,'task.decision','00000000000000000000000000000001','{"round": 0}');
INSERT INTO "events" VALUES(7,1.79571918226495599747e+09,'task.done','00000000000000000000000000000001','{}');
INSERT INTO "events" VALUES(8,1.79571918227147126192e+09,'task.accepted','00000000000000000000000000000002','{"text": "plot größe by 年"}');
INSERT INTO "events" VALUES(9,1.79571918228351521491e+09,'task.decision','00000000000000000000000000000002','{"round": 2}');
INSERT INTO "events" VALUES(10,1.7957191822892827988e+09,'task.failed','00000000000000000000000000000002','{"reason": "no candidate worked"}');
INSERT INTO "events" VALUES(11,1.79571918229591131208e+09,'task.accepted','00000000000000000000000000000003','{"text": "a task of yesterday"}');
INSERT INTO "events" VALUES(12,1.79571918230533742908e+09,'task.cancelled','00000000000000000000000000000003','{"reason": "cancelled by the user"}');
INSERT INTO "events" VALUES(13,1.79571918231222653391e+09,'task.accepted','00000000000000000000000000000004','{"text": "never ended"}');
INSERT INTO "events" VALUES(14,1.79571918235235309605e+09,'task.accepted','00000000000000000000000000000005','{"text": "print(''hello from a worker'')\n6 * 7"}');
INSERT INTO "events" VALUES(15,1.79571918236400485035e+09,'task.running','00000000000000000000000000000005','{}');
INSERT INTO "events" VALUES(16,1.79571918315797924995e+09,'task.done','00000000000000000000000000000005','{}');
INSERT INTO "events" VALUES(17,1795719183.16134,'task.accepted','00000000000000000000000000000006','{"text": "1 / 0"}');
INSERT INTO "events" VALUES(18,1.79571918316453790669e+09,'task.running','00000000000000000000000000000006','{}');
INSERT INTO "events" VALUES(19,1.79571918356099772453e+09,'task.failed','00000000000000000000000000000006','{"reason": "ZeroDivisionError: division by zero"}');
INSERT INTO "events" VALUES(20,1.79571918356428027151e+09,'task.accepted','00000000000000000000000000000007','{"text": "import time\ntime.sleep(600)"}');
INSERT INTO "events" VALUES(21,1.79571918356906533244e+09,'task.running','00000000000000000000000000000007','{}');
INSERT INTO "events" VALUES(22,1.79571918357139039034e+09,'task.accepted','00000000000000000000000000000008','{"text": "''after''"}');
CREATE TABLE jobs (
    task     TEXT PRIMARY KEY REFERENCES tasks (id) ON DELETE CASCADE,
    job      TEXT NOT NULL,
    timeline TEXT NOT NULL,
    ended    TEXT
);
INSERT INTO "jobs" VALUES('00000000000000000000000000000005','{"id":"00000000000000000000000000000005","code":"print(''hello from a worker'')\n6 * 7","variables":null,"binds":[],"touches":[],"folder":"","search_path":[],"grants":{"write":[],"network":false,"processes":false,"unlocked":false},"limits":{"cores":1,"affinity":[],"memory_bytes":null,"nice":5,"output_bytes":10485760,"result_bytes":1073741824},"lock_later":false,"repeatable":true,"priority":0,"resources":{}}','{"accepted":1795719182.352233,"started":1795719182.3635886,"ended":1795719183.1569164,"waited":0.01135563850402832,"ran":0.0113,"predicted":10.0,"priority":null,"why":"Started on workers: first in class normal; started at once."}','{"type":"ended","state":"done","message":"","results":{"folder":"@DATA@/workers/vm-23773-41212.18-7f414fc0f310/results/00000000000000000000000000000005","variables":[],"missing":[]},"answered":null,"seconds":0.0113,"peak_bytes":55861248}');
INSERT INTO "jobs" VALUES('00000000000000000000000000000006','{"id":"00000000000000000000000000000006","code":"1 / 0","variables":null,"binds":[],"touches":[],"folder":"","search_path":[],"grants":{"write":[],"network":false,"processes":false,"unlocked":false},"limits":{"cores":1,"affinity":[],"memory_bytes":null,"nice":5,"output_bytes":10485760,"result_bytes":1073741824},"lock_later":false,"repeatable":true,"priority":0,"resources":{}}','{"accepted":1795719183.1612887,"started":1795719183.164461,"ended":1795719183.5597394,"waited":0.003172159194946289,"ran":0.0894,"predicted":10.0,"priority":null,"why":"Started on workers: first in class normal; started at once."}','{"type":"ended","state":"failed","message":"ZeroDivisionError: division by zero","results":{"folder":"@DATA@/workers/vm-23773-41212.18-7f414fc0f310/results/00000000000000000000000000000006","variables":[],"missing":[]},"answered":null,"seconds":0.0894,"peak_bytes":56979456}');
INSERT INTO "jobs" VALUES('00000000000000000000000000000007','{"id":"00000000000000000000000000000007","code":"import time\ntime.sleep(600)","variables":null,"binds":[],"touches":[],"folder":"","search_path":[],"grants":{"write":[],"network":false,"processes":false,"unlocked":false},"limits":{"cores":1,"affinity":[],"memory_bytes":null,"nice":5,"output_bytes":10485760,"result_bytes":1073741824},"lock_later":false,"repeatable":true,"priority":0,"resources":{}}','{"accepted":1795719183.564213,"started":1795719183.568991,"ended":null,"waited":0.0047779083251953125,"ran":0.0,"predicted":10.0,"priority":null,"why":"Started on workers: first in class normal; started at once."}',NULL);
INSERT INTO "jobs" VALUES('00000000000000000000000000000008','{"id":"00000000000000000000000000000008","code":"''after''","variables":null,"binds":[],"touches":[],"folder":"","search_path":[],"grants":{"write":[],"network":false,"processes":false,"unlocked":false},"limits":{"cores":1,"affinity":[],"memory_bytes":null,"nice":5,"output_bytes":10485760,"result_bytes":1073741824},"lock_later":false,"repeatable":true,"priority":0,"resources":{}}','{"accepted":1795719183.571336,"started":null,"ended":null,"waited":0.0,"ran":0.0,"predicted":0.0,"priority":null,"why":""}',NULL);
CREATE TABLE outputs (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    task TEXT NOT NULL REFERENCES jobs (task) ON DELETE CASCADE,
    at   REAL NOT NULL,
    item TEXT NOT NULL
);
INSERT INTO "outputs" VALUES(1,'00000000000000000000000000000005',1.79571918312095165247e+09,'{"type":"started","confinement":"Landlock v7 + seccomp","pid":23800}');
INSERT INTO "outputs" VALUES(2,'00000000000000000000000000000005',1.79571918313028693198e+09,'{"type":"stream","name":"stdout","text":"hello from a worker\n"}');
INSERT INTO "outputs" VALUES(3,'00000000000000000000000000000005',1.79571918313078474991e+09,'{"type":"result","data":{"text/plain":"42"},"metadata":{}}');
INSERT INTO "outputs" VALUES(4,'00000000000000000000000000000006',1.79571918343881034856e+09,'{"type":"started","confinement":"Landlock v7 + seccomp","pid":23818}');
INSERT INTO "outputs" VALUES(5,'00000000000000000000000000000006',1.79571918352523541458e+09,'{"type":"error","name":"ZeroDivisionError","value":"division by zero","traceback":["\u001b[31m---------------------------------------------------------------------------\u001b[39m","\u001b[31mZeroDivisionError\u001b[39m                         Traceback (most recent call last)","\u001b[36mCell\u001b[39m\u001b[36m \u001b[39m\u001b[32mIn[1]\u001b[39m\u001b[32m, line 1\u001b[39m\n\u001b[32m----> \u001b[39m\u001b[32m1\u001b[39m \u001b[32m1\u001b[39m / \u001b[32m0\u001b[39m\n","\u001b[31mZeroDivisionError\u001b[39m: division by zero"]}');
INSERT INTO "outputs" VALUES(6,'00000000000000000000000000000007',1.79571918391162180898e+09,'{"type":"started","confinement":"Landlock v7 + seccomp","pid":23837}');
CREATE TABLE records (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    task    TEXT NOT NULL REFERENCES tasks (id),
    key     TEXT UNIQUE,
    at      REAL NOT NULL,
    record  TEXT NOT NULL
);
INSERT INTO "records" VALUES(1,'00000000000000000000000000000001','e75291f9a2014d2d98405cc32111e49a',1.79571918222112035749e+09,'{"type":"candidate","round":0,"candidate":{"text":"```python\nx.mean()\n```","index":0,"confidence":null,"doubt":null,"model":"qwen2.5-coder-0.5b","finish":"stop","timings":{"prompt_tokens":0,"cached_tokens":0,"prompt_ms":0.0,"tokens":0,"decode_ms":0.0,"first_token_ms":0.0},"messages":[{"role":"system","content":"You write Python."},{"role":"user","content":"the mean of x"}]}}');
INSERT INTO "records" VALUES(2,'00000000000000000000000000000001','9a9e7c22e2184c599859d5252121383e',1.79571918223383760445e+09,'{"type":"inspection","round":0,"index":0,"code":"x.mean()","findings":[{"kind":"syntax","severity":"error","message":"a finding of the kind syntax","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"undefined-name","severity":"error","message":"a finding of the kind undefined-name","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"unknown-attribute","severity":"error","message":"a finding of the kind unknown-attribute","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"unknown-column","severity":"error","message":"a finding of the kind unknown-column","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"shadowed-builtin","severity":"error","message":"a finding of the kind shadowed-builtin","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"rebinds-name","severity":"error","message":"a finding of the kind rebinds-name","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"capability","severity":"error","message":"a finding of the kind capability","line":1,"name":"x","suggestions":["X"],"capability":"network"},{"kind":"endless-loop","severity":"error","message":"a finding of the kind endless-loop","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"hidden-code","severity":"error","message":"a finding of the kind hidden-code","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"mended","severity":"error","message":"a finding of the kind mended","line":1,"name":"x","suggestions":["X"],"capability":null}]}');
INSERT INTO "records" VALUES(3,'00000000000000000000000000000001','641b067a71c54ec39e38033c322573f1',1.79571918224140620237e+09,'{"type":"rehearsal","round":0,"index":0,"code":"x.mean()","rehearsal":{"status":"refused","reason":"","confinement":"landlock, seccomp","error":{"type":"PermissionError","message":"out.csv","line":1,"source":"x.mean()","traceback":"..."},"output":"2.0\n","outcome":{},"doubts":["the request asks for one number, this is a table"],"shape":{"kind":"other","rows":0,"figures":0,"columns":[]},"changes":[{"name":"y","kind":"created","type":"float","detail":""}],"refusals":[{"capability":"write files","what":"write out.csv"},{"capability":"network","what":"connect to example.org:443"}],"seconds":0.2,"peak_bytes":1000}}');
INSERT INTO "records" VALUES(4,'00000000000000000000000000000001','cd3f8da58ff7499b9a27d6297a672682',1.79571918224970602986e+09,'{"type":"run","round":0,"index":0,"code":"x.mean()","run":{"status":"ok","error":null,"changes":[{"name":"y","kind":"created","type":"float","detail":""}],"seconds":0.01}}');
INSERT INTO "records" VALUES(5,'00000000000000000000000000000001','2898f95b886548f8929ed9a317c9e5c0',1.79571918225733780866e+09,'{"type":"decision","round":0,"decision":"approved","why":"the user said yes"}');
INSERT INTO "records" VALUES(6,'00000000000000000000000000000002','4f4744757615428e89c85d1524cf27bd',1.79571918228346610064e+09,'{"type":"decision","round":2,"decision":"gave up","why":"no candidate worked"}');
CREATE TABLE steps (
    id      TEXT PRIMARY KEY,
    task    TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    state   TEXT NOT NULL,
    changed REAL NOT NULL,
    record  TEXT NOT NULL
);
INSERT INTO "steps" VALUES('00000000000000000000000000000005','00000000000000000000000000000005','done',1.79571918336536240573e+09,'{"id":"00000000000000000000000000000005","task":"00000000000000000000000000000005","kind":"run","resource":"workers","state":"done","session":"3e0f6c2a-lesson","priority":50,"after":[],"created":1795719182.357004,"planned":null,"spans":[{"start":1795719182.3576148,"end":1795719183.158548}],"predicted":10.0,"predicted_p90":null,"why":"Started on workers: first in class normal; started at once."}');
INSERT INTO "steps" VALUES('00000000000000000000000000000006','00000000000000000000000000000006','failed',1.79571918361769819255e+09,'{"id":"00000000000000000000000000000006","task":"00000000000000000000000000000006","kind":"run","resource":"workers","state":"failed","session":"3e0f6c2a-lesson","priority":50,"after":[],"created":1795719183.163886,"planned":null,"spans":[{"start":1795719183.1642506,"end":1795719183.5615547}],"predicted":10.0,"predicted_p90":null,"why":"Started on workers: first in class normal; started at once."}');
INSERT INTO "steps" VALUES('00000000000000000000000000000007','00000000000000000000000000000007','running',1.79571918361769819255e+09,'{"id":"00000000000000000000000000000007","task":"00000000000000000000000000000007","kind":"run","resource":"workers","state":"running","session":"3e0f6c2a-lesson","priority":50,"after":[],"created":1795719183.568321,"planned":null,"spans":[{"start":1795719183.5687604,"end":null}],"predicted":10.0,"predicted_p90":null,"why":"Started on workers: first in class normal; started at once."}');
INSERT INTO "steps" VALUES('00000000000000000000000000000008','00000000000000000000000000000008','waiting',1.79571918361769819255e+09,'{"id":"00000000000000000000000000000008","task":"00000000000000000000000000000008","kind":"run","resource":"","state":"waiting","session":"3e0f6c2a-lesson","priority":50,"after":["00000000000000000000000000000007"],"created":1795719183.5794215,"planned":{"start":1795719193.5686798,"end":1795719203.5686798},"spans":[],"predicted":10.0,"predicted_p90":null,"why":""}');
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
    updated REAL NOT NULL
);
INSERT INTO "tasks" VALUES(1,'00000000000000000000000000000001','ask','3e0f6c2a-lesson','the mean of x','{"mode":"auto","model":"auto","retries":2,"candidates":null,"fresh":false,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[],"background":false,"priority":50,"deadline":null,"after":[],"cores":1,"memory_bytes":null,"gpus":0}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":23769,"started":1795719180.89}','done','',1.79571918221535181993e+09,1.7957191822649166584e+09);
INSERT INTO "tasks" VALUES(2,'00000000000000000000000000000002','ask','3e0f6c2a-lesson','plot größe by 年','{"mode":"auto","model":"auto","retries":2,"candidates":null,"fresh":false,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[],"background":false,"priority":50,"deadline":null,"after":[],"cores":1,"memory_bytes":null,"gpus":0}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":23769,"started":1795719180.89}','failed','no candidate worked',1.79571918227139425278e+09,1.79571918228926587102e+09);
INSERT INTO "tasks" VALUES(3,'00000000000000000000000000000003','ask','3e0f6c2a-lesson','a task of yesterday','{"mode":"auto","model":"auto","retries":2,"candidates":null,"fresh":false,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[],"background":false,"priority":50,"deadline":null,"after":[],"cores":1,"memory_bytes":null,"gpus":0}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":23769,"started":1795719180.89}','cancelled','cancelled by the user',1.79571918229584360127e+09,1.79571918230531811719e+09);
INSERT INTO "tasks" VALUES(4,'00000000000000000000000000000004','ask','3e0f6c2a-lesson','never ended','{"mode":"auto","model":"auto","retries":2,"candidates":null,"fresh":false,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[],"background":false,"priority":50,"deadline":null,"after":[],"cores":1,"memory_bytes":null,"gpus":0}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":23769,"started":1795719180.89}','accepted','',1.79571918231216764451e+09,1.79571918231216764451e+09);
INSERT INTO "tasks" VALUES(5,'00000000000000000000000000000005','run','3e0f6c2a-lesson','print(''hello from a worker'')
6 * 7','{"mode":"auto","model":"auto","retries":2,"candidates":null,"fresh":false,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[],"background":true,"priority":50,"deadline":null,"after":[],"cores":1,"memory_bytes":null,"gpus":0}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":23769,"started":1795719180.89}','done','',1.79571918235223293306e+09,1.79571918315796637535e+09);
INSERT INTO "tasks" VALUES(6,'00000000000000000000000000000006','run','3e0f6c2a-lesson','1 / 0','{"mode":"auto","model":"auto","retries":2,"candidates":null,"fresh":false,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[],"background":true,"priority":50,"deadline":null,"after":[],"cores":1,"memory_bytes":null,"gpus":0}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":23769,"started":1795719180.89}','failed','ZeroDivisionError: division by zero',1.79571918316128873826e+09,1.79571918356098365779e+09);
INSERT INTO "tasks" VALUES(7,'00000000000000000000000000000007','run','3e0f6c2a-lesson','import time
time.sleep(600)','{"mode":"auto","model":"auto","retries":2,"candidates":null,"fresh":false,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[],"background":true,"priority":50,"deadline":null,"after":[],"cores":1,"memory_bytes":null,"gpus":0}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":23769,"started":1795719180.89}','running','',1.79571918356421303744e+09,1.79571918356905436521e+09);
INSERT INTO "tasks" VALUES(8,'00000000000000000000000000000008','run','3e0f6c2a-lesson','''after''','{"mode":"auto","model":"auto","retries":2,"candidates":null,"fresh":false,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[],"background":true,"priority":50,"deadline":null,"after":["7"],"cores":1,"memory_bytes":null,"gpus":0}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":23769,"started":1795719180.89}','accepted','',1.79571918357133603096e+09,1.79571918357133603096e+09);
CREATE INDEX tasks_by_session ON tasks (session, number);
CREATE INDEX tasks_by_state ON tasks (state);
CREATE INDEX records_by_task ON records (task, id);
CREATE INDEX steps_by_task ON steps (task);
CREATE INDEX steps_by_change ON steps (changed);
CREATE INDEX outputs_by_task ON outputs (task, id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('tasks',8);
INSERT INTO "sqlite_sequence" VALUES('events',22);
INSERT INTO "sqlite_sequence" VALUES('records',6);
INSERT INTO "sqlite_sequence" VALUES('outputs',6);
COMMIT;
PRAGMA user_version=2;
