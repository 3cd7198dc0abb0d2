-- Written by the daemon of commit 8d0ec19 (24 Nov 2026), which was then killed: background cells.
BEGIN TRANSACTION;
CREATE TABLE events (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      REAL NOT NULL,
    kind    TEXT NOT NULL,
    task    TEXT,
    data    TEXT NOT NULL
);
INSERT INTO "events" VALUES(1,1.79571917299553298948e+09,'task.accepted','00000000000000000000000000000001','{"text": "the mean of x"}');
INSERT INTO "events" VALUES(2,1.79571917300289559359e+09,'task.candidate','00000000000000000000000000000001','{"round": 0}');
INSERT INTO "events" VALUES(3,1.79571917300967383388e+09,'task.inspection','00000000000000000000000000000001','{"round": 0}');
INSERT INTO "events" VALUES(4,1.79571917301635885239e+09,'task.rehearsal','00000000000000000000000000000001','{"round": 0}');
INSERT INTO "events" VALUES(5,1.79571917302338242535e+09,'task.run','00000000000000000000000000000001','{"round": 0}');
INSERT INTO "events" VALUES(6,1.79571917302549982067e+09,'task.decision','00000000000000000000000000000001','{"round": 0}');
INSERT INTO "events" VALUES(7,1.79571917302746868129e+09,'task.done','00000000000000000000000000000001','{}');
INSERT INTO "events" VALUES(8,1.79571917303065657612e+09,'task.accepted','00000000000000000000000000000002','{"text": "plot größe by 年"}');
INSERT INTO "events" VALUES(9,1.79571917303332686428e+09,'task.decision','00000000000000000000000000000002','{"round": 2}');
INSERT INTO "events" VALUES(10,1.79571917304397892954e+09,'task.failed','00000000000000000000000000000002','{"reason": "no candidate worked"}');
INSERT INTO "events" VALUES(11,1.79571917304908132547e+09,'task.accepted','00000000000000000000000000000003','{"text": "a task of yesterday"}');
INSERT INTO "events" VALUES(12,1.79571917305466032029e+09,'task.cancelled','00000000000000000000000000000003','{"reason": "cancelled by the user"}');
INSERT INTO "events" VALUES(13,1.79571917306091308596e+09,'task.accepted','00000000000000000000000000000004','{"text": "never ended"}');
INSERT INTO "events" VALUES(14,1.79571917309943842886e+09,'task.accepted','00000000000000000000000000000005','{"text": "print(''hello from a worker'')\n6 * 7"}');
INSERT INTO "events" VALUES(15,1.79571917312863779062e+09,'task.running','00000000000000000000000000000005','{}');
INSERT INTO "events" VALUES(16,1.79571917433614826201e+09,'task.done','00000000000000000000000000000005','{}');
INSERT INTO "events" VALUES(17,1.79571917434115242958e+09,'task.accepted','00000000000000000000000000000006','{"text": "1 / 0"}');
INSERT INTO "events" VALUES(18,1.79571917434405326843e+09,'task.running','00000000000000000000000000000006','{}');
INSERT INTO "events" VALUES(19,1.79571917488162374493e+09,'task.failed','00000000000000000000000000000006','{"reason": "ZeroDivisionError: division by zero"}');
INSERT INTO "events" VALUES(20,1.79571917488852882387e+09,'task.accepted','00000000000000000000000000000007','{"text": "import time\ntime.sleep(600)"}');
INSERT INTO "events" VALUES(21,1.79571917489620494837e+09,'task.running','00000000000000000000000000000007','{}');
INSERT INTO "events" VALUES(22,1.79571917490095853803e+09,'task.accepted','00000000000000000000000000000008','{"text": "''after''"}');
CREATE TABLE jobs (
    task     TEXT PRIMARY KEY REFERENCES tasks (id) ON DELETE CASCADE,
    job      TEXT NOT NULL,
    timeline TEXT NOT NULL,
    ended    TEXT
);
INSERT INTO "jobs" VALUES('00000000000000000000000000000005','{"id":"00000000000000000000000000000005","code":"print(''hello from a worker'')\n6 * 7","variables":null,"binds":[],"touches":[],"folder":"","search_path":[],"grants":{"write":[],"network":false,"processes":false,"unlocked":false},"limits":{"cores":1,"affinity":[],"memory_bytes":null,"nice":5,"output_bytes":10485760,"result_bytes":1073741824},"priority":0,"resources":{}}','{"accepted":1795719173.099275,"started":1795719173.1282113,"ended":1795719174.3308315,"waited":0.028936147689819336,"ran":0.0243,"predicted":10.0,"priority":null,"why":"Started on workers: first in class normal; started at once."}','{"type":"ended","state":"done","message":"","results":{"folder":"@DATA@/workers/23532-41202.87-7fc562c4cf90/results/00000000000000000000000000000005","variables":[],"missing":[]},"seconds":0.0243,"peak_bytes":55750656}');
INSERT INTO "jobs" VALUES('00000000000000000000000000000006','{"id":"00000000000000000000000000000006","code":"1 / 0","variables":null,"binds":[],"touches":[],"folder":"","search_path":[],"grants":{"write":[],"network":false,"processes":false,"unlocked":false},"limits":{"cores":1,"affinity":[],"memory_bytes":null,"nice":5,"output_bytes":10485760,"result_bytes":1073741824},"priority":0,"resources":{}}','{"accepted":1795719174.341061,"started":1795719174.3439853,"ended":1795719174.8753066,"waited":0.002924203872680664,"ran":0.141,"predicted":10.0,"priority":null,"why":"Started on workers: first in class normal; started at once."}','{"type":"ended","state":"failed","message":"ZeroDivisionError: division by zero","results":{"folder":"@DATA@/workers/23532-41202.87-7fc562c4cf90/results/00000000000000000000000000000006","variables":[],"missing":[]},"seconds":0.141,"peak_bytes":57036800}');
INSERT INTO "jobs" VALUES('00000000000000000000000000000007','{"id":"00000000000000000000000000000007","code":"import time\ntime.sleep(600)","variables":null,"binds":[],"touches":[],"folder":"","search_path":[],"grants":{"write":[],"network":false,"processes":false,"unlocked":false},"limits":{"cores":1,"affinity":[],"memory_bytes":null,"nice":5,"output_bytes":10485760,"result_bytes":1073741824},"priority":0,"resources":{}}','{"accepted":1795719174.8883164,"started":1795719174.8961363,"ended":null,"waited":0.007819890975952148,"ran":0.0,"predicted":10.0,"priority":null,"why":"Started on workers: first in class normal; started at once."}',NULL);
INSERT INTO "jobs" VALUES('00000000000000000000000000000008','{"id":"00000000000000000000000000000008","code":"''after''","variables":null,"binds":[],"touches":[],"folder":"","search_path":[],"grants":{"write":[],"network":false,"processes":false,"unlocked":false},"limits":{"cores":1,"affinity":[],"memory_bytes":null,"nice":5,"output_bytes":10485760,"result_bytes":1073741824},"priority":0,"resources":{}}','{"accepted":1795719174.9009132,"started":null,"ended":null,"waited":0.0,"ran":0.0,"predicted":0.0,"priority":null,"why":""}',NULL);
CREATE TABLE outputs (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    task TEXT NOT NULL REFERENCES jobs (task) ON DELETE CASCADE,
    at   REAL NOT NULL,
    item TEXT NOT NULL
);
INSERT INTO "outputs" VALUES(1,'00000000000000000000000000000005',1.7957191742684519291e+09,'{"type":"started","confinement":"Landlock v7 + seccomp","pid":23570}');
INSERT INTO "outputs" VALUES(2,'00000000000000000000000000000005',1.79571917428092885015e+09,'{"type":"stream","name":"stdout","text":"hello from a worker\n"}');
INSERT INTO "outputs" VALUES(3,'00000000000000000000000000000005',1.79571917428937911985e+09,'{"type":"result","data":{"text/plain":"42"},"metadata":{}}');
INSERT INTO "outputs" VALUES(4,'00000000000000000000000000000006',1.79571917466545701025e+09,'{"type":"started","confinement":"Landlock v7 + seccomp","pid":23596}');
INSERT INTO "outputs" VALUES(5,'00000000000000000000000000000006',1.7957191748050088882e+09,'{"type":"error","name":"ZeroDivisionError","value":"division by zero","traceback":["\u001b[31m---------------------------------------------------------------------------\u001b[39m","\u001b[31mZeroDivisionError\u001b[39m                         Traceback (most recent call last)","\u001b[36mCell\u001b[39m\u001b[36m \u001b[39m\u001b[32mIn[1]\u001b[39m\u001b[32m, line 1\u001b[39m\n\u001b[32m----> \u001b[39m\u001b[32m1\u001b[39m \u001b[32m1\u001b[39m / \u001b[32m0\u001b[39m\n","\u001b[31mZeroDivisionError\u001b[39m: division by zero"]}');
INSERT INTO "outputs" VALUES(6,'00000000000000000000000000000007',1.79571917520750832554e+09,'{"type":"started","confinement":"Landlock v7 + seccomp","pid":23643}');
CREATE TABLE records (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    task    TEXT NOT NULL REFERENCES tasks (id),
    key     TEXT UNIQUE,
    at      REAL NOT NULL,
    record  TEXT NOT NULL
);
INSERT INTO "records" VALUES(1,'00000000000000000000000000000001','bb54d62ee4974c5988ea2d93acd33a1d',1.79571917300284099577e+09,'{"type":"candidate","round":0,"candidate":{"text":"```python\nx.mean()\n```","index":0,"confidence":null,"doubt":null,"model":"qwen2.5-coder-0.5b","finish":"stop","timings":{"prompt_tokens":0,"cached_tokens":0,"prompt_ms":0.0,"tokens":0,"decode_ms":0.0,"first_token_ms":0.0},"messages":[{"role":"system","content":"You write Python."},{"role":"user","content":"the mean of x"}]}}');
INSERT INTO "records" VALUES(2,'00000000000000000000000000000001','37d880cdbd8c4f4cba3a24dd9fabfa84',1.79571917300962710381e+09,'{"type":"inspection","round":0,"index":0,"code":"x.mean()","findings":[{"kind":"syntax","severity":"error","message":"a finding of the kind syntax","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"undefined-name","severity":"error","message":"a finding of the kind undefined-name","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"unknown-attribute","severity":"error","message":"a finding of the kind unknown-attribute","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"unknown-column","severity":"error","message":"a finding of the kind unknown-column","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"shadowed-builtin","severity":"error","message":"a finding of the kind shadowed-builtin","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"rebinds-name","severity":"error","message":"a finding of the kind rebinds-name","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"capability","severity":"error","message":"a finding of the kind capability","line":1,"name":"x","suggestions":["X"],"capability":"network"},{"kind":"endless-loop","severity":"error","message":"a finding of the kind endless-loop","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"hidden-code","severity":"error","message":"a finding of the kind hidden-code","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"mended","severity":"error","message":"a finding of the kind mended","line":1,"name":"x","suggestions":["X"],"capability":null}]}');
INSERT INTO "records" VALUES(3,'00000000000000000000000000000001','6c3585e9e67341fba8a625c3d44c6419',1.79571917301625752451e+09,'{"type":"rehearsal","round":0,"index":0,"code":"x.mean()","rehearsal":{"status":"refused","reason":"","confinement":"landlock, seccomp","error":{"type":"PermissionError","message":"out.csv","line":1,"source":"x.mean()","traceback":"..."},"output":"2.0\n","outcome":{},"doubts":["the request asks for one number, this is a table"],"shape":{"kind":"other","rows":0,"figures":0,"columns":[]},"changes":[{"name":"y","kind":"created","type":"float","detail":""}],"refusals":[{"capability":"write files","what":"write out.csv"},{"capability":"network","what":"connect to example.org:443"}],"seconds":0.2,"peak_bytes":1000}}');
INSERT INTO "records" VALUES(4,'00000000000000000000000000000001','dde44bb8d6424fbd9c43f83dfab2a941',1.79571917302331423758e+09,'{"type":"run","round":0,"index":0,"code":"x.mean()","run":{"status":"ok","error":null,"changes":[{"name":"y","kind":"created","type":"float","detail":""}],"seconds":0.01}}');
INSERT INTO "records" VALUES(5,'00000000000000000000000000000001','d131ab454a344eaab01ac8f2fce7f8b8',1.79571917302547359469e+09,'{"type":"decision","round":0,"decision":"approved","why":"the user said yes"}');
INSERT INTO "records" VALUES(6,'00000000000000000000000000000002','ffca7cac55cb4b788af421c45babc84d',1.79571917303330540662e+09,'{"type":"decision","round":2,"decision":"gave up","why":"no candidate worked"}');
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
INSERT INTO "tasks" VALUES(1,'00000000000000000000000000000001','ask','3e0f6c2a-lesson','the mean of x','{"mode":"auto","model":"auto","retries":2,"candidates":null,"fresh":false,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[],"priority":50,"deadline":null,"after":[],"cores":1,"memory_bytes":null,"gpus":0}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":23525,"started":1795719171.51}','done','',1.79571917299543643e+09,1.79571917302742671963e+09);
INSERT INTO "tasks" VALUES(2,'00000000000000000000000000000002','ask','3e0f6c2a-lesson','plot größe by 年','{"mode":"auto","model":"auto","retries":2,"candidates":null,"fresh":false,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[],"priority":50,"deadline":null,"after":[],"cores":1,"memory_bytes":null,"gpus":0}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":23525,"started":1795719171.51}','failed','no candidate worked',1.79571917303061270713e+09,1.79571917304396271703e+09);
INSERT INTO "tasks" VALUES(3,'00000000000000000000000000000003','ask','3e0f6c2a-lesson','a task of yesterday','{"mode":"auto","model":"auto","retries":2,"candidates":null,"fresh":false,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[],"priority":50,"deadline":null,"after":[],"cores":1,"memory_bytes":null,"gpus":0}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":23525,"started":1795719171.51}','cancelled','cancelled by the user',1.79571917304904508589e+09,1.7957191730546486378e+09);
INSERT INTO "tasks" VALUES(4,'00000000000000000000000000000004','ask','3e0f6c2a-lesson','never ended','{"mode":"auto","model":"auto","retries":2,"candidates":null,"fresh":false,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[],"priority":50,"deadline":null,"after":[],"cores":1,"memory_bytes":null,"gpus":0}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":23525,"started":1795719171.51}','accepted','',1.79571917306087398529e+09,1.79571917306087398529e+09);
INSERT INTO "tasks" VALUES(5,'00000000000000000000000000000005','run','3e0f6c2a-lesson','print(''hello from a worker'')
6 * 7','{"mode":"auto","model":"auto","retries":2,"candidates":null,"fresh":false,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[],"priority":50,"deadline":null,"after":[],"cores":1,"memory_bytes":null,"gpus":0}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":23525,"started":1795719171.51}','done','',1.7957191730992751121e+09,1.79571917433613371852e+09);
INSERT INTO "tasks" VALUES(6,'00000000000000000000000000000006','run','3e0f6c2a-lesson','1 / 0','{"mode":"auto","model":"auto","retries":2,"candidates":null,"fresh":false,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[],"priority":50,"deadline":null,"after":[],"cores":1,"memory_bytes":null,"gpus":0}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":23525,"started":1795719171.51}','failed','ZeroDivisionError: division by zero',1.79571917434106111521e+09,1.79571917488160753256e+09);
INSERT INTO "tasks" VALUES(7,'00000000000000000000000000000007','run','3e0f6c2a-lesson','import time
time.sleep(600)','{"mode":"auto","model":"auto","retries":2,"candidates":null,"fresh":false,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[],"priority":50,"deadline":null,"after":[],"cores":1,"memory_bytes":null,"gpus":0}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":23525,"started":1795719171.51}','running','',1.79571917488831639289e+09,1.79571917489618968965e+09);
INSERT INTO "tasks" VALUES(8,'00000000000000000000000000000008','run','3e0f6c2a-lesson','''after''','{"mode":"auto","model":"auto","retries":2,"candidates":null,"fresh":false,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[],"priority":50,"deadline":null,"after":["7"],"cores":1,"memory_bytes":null,"gpus":0}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":23525,"started":1795719171.51}','accepted','',1.79571917490091323855e+09,1.79571917490091323855e+09);
CREATE INDEX tasks_by_session ON tasks (session, number);
CREATE INDEX tasks_by_state ON tasks (state);
CREATE INDEX records_by_task ON records (task, id);
CREATE INDEX outputs_by_task ON outputs (task, id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('tasks',8);
INSERT INTO "sqlite_sequence" VALUES('events',22);
INSERT INTO "sqlite_sequence" VALUES('records',6);
INSERT INTO "sqlite_sequence" VALUES('outputs',6);
COMMIT;
PRAGMA user_version=2;
