-- Written by the daemon of commit ffca6d9 (23 Nov 2026), which was then killed: the first one, requests in words alone.
BEGIN TRANSACTION;
CREATE TABLE events (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      REAL NOT NULL,
    kind    TEXT NOT NULL,
    task    TEXT,
    data    TEXT NOT NULL
);
INSERT INTO "events" VALUES(1,1.79571916745964217185e+09,'task.accepted','00000000000000000000000000000001','{"text": "the mean of x"}');
INSERT INTO "events" VALUES(2,1.79571916749472641943e+09,'task.candidate','00000000000000000000000000000001','{"round": 0}');
INSERT INTO "events" VALUES(3,1.79571916755229902271e+09,'task.inspection','00000000000000000000000000000001','{"round": 0}');
INSERT INTO "events" VALUES(4,1.79571916760224533074e+09,'task.rehearsal','00000000000000000000000000000001','{"round": 0}');
INSERT INTO "events" VALUES(5,1.79571916765346693998e+09,'task.run','00000000000000000000000000000001','{"round": 0}');
INSERT INTO "events" VALUES(6,1.79571916770123648642e+09,'task.decision','00000000000000000000000000000001','{"round": 0}');
INSERT INTO "events" VALUES(7,1.79571916774946451185e+09,'task.done','00000000000000000000000000000001','{}');
INSERT INTO "events" VALUES(8,1.79571916779333877562e+09,'task.accepted','00000000000000000000000000000002','{"text": "plot größe by 年"}');
INSERT INTO "events" VALUES(9,1.79571916784117197995e+09,'task.decision','00000000000000000000000000000002','{"round": 2}');
INSERT INTO "events" VALUES(10,1.7957191678890650272e+09,'task.failed','00000000000000000000000000000002','{"reason": "no candidate worked"}');
INSERT INTO "events" VALUES(11,1.79571916793732762338e+09,'task.accepted','00000000000000000000000000000003','{"text": "a task of yesterday"}');
INSERT INTO "events" VALUES(12,1.79571916798509407043e+09,'task.cancelled','00000000000000000000000000000003','{"reason": "cancelled by the user"}');
INSERT INTO "events" VALUES(13,1.79571916803316068648e+09,'task.accepted','00000000000000000000000000000004','{"text": "never ended"}');
CREATE TABLE records (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    task    TEXT NOT NULL REFERENCES tasks (id),
    key     TEXT UNIQUE,
    at      REAL NOT NULL,
    record  TEXT NOT NULL
);
INSERT INTO "records" VALUES(1,'00000000000000000000000000000001','3c3c6b6a5ba24070bef3402fe6d757c2',1.79571916749458718298e+09,'{"type":"candidate","round":0,"candidate":{"text":"```python\nx.mean()\n```","model":"qwen2.5-coder-0.5b","finish":"stop","timings":{"prompt_tokens":0,"cached_tokens":0,"prompt_ms":0.0,"tokens":0,"decode_ms":0.0,"first_token_ms":0.0},"messages":[{"role":"system","content":"You write Python."},{"role":"user","content":"the mean of x"}]}}');
INSERT INTO "records" VALUES(2,'00000000000000000000000000000001','34380f4a2893448fa97bf3e8301ebcb9',1.79571916755221557609e+09,'{"type":"inspection","round":0,"code":"x.mean()","findings":[{"kind":"syntax","severity":"error","message":"a finding of the kind syntax","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"undefined-name","severity":"error","message":"a finding of the kind undefined-name","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"unknown-attribute","severity":"error","message":"a finding of the kind unknown-attribute","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"unknown-column","severity":"error","message":"a finding of the kind unknown-column","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"shadowed-builtin","severity":"error","message":"a finding of the kind shadowed-builtin","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"rebinds-name","severity":"error","message":"a finding of the kind rebinds-name","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"capability","severity":"error","message":"a finding of the kind capability","line":1,"name":"x","suggestions":["X"],"capability":"network"},{"kind":"endless-loop","severity":"error","message":"a finding of the kind endless-loop","line":1,"name":"x","suggestions":["X"],"capability":null},{"kind":"hidden-code","severity":"error","message":"a finding of the kind hidden-code","line":1,"name":"x","suggestions":["X"],"capability":null}]}');
INSERT INTO "records" VALUES(3,'00000000000000000000000000000001','b0338a3f174449ab8bd9f4e0a53a5fe6',1.79571916760216379162e+09,'{"type":"rehearsal","round":0,"code":"x.mean()","rehearsal":{"status":"refused","reason":"","confinement":"landlock, seccomp","error":{"type":"PermissionError","message":"out.csv","line":1,"source":"x.mean()","traceback":"..."},"output":"2.0\n","changes":[{"name":"y","kind":"created","type":"float","detail":""}],"refusals":[{"capability":"write files","what":"write out.csv"},{"capability":"network","what":"connect to example.org:443"}],"seconds":0.2,"peak_bytes":1000}}');
INSERT INTO "records" VALUES(4,'00000000000000000000000000000001','ac2908cb2c1f4a60a3f9007cbbcb4418',1.79571916765342187881e+09,'{"type":"run","round":0,"code":"x.mean()","run":{"status":"ok","error":null,"changes":[{"name":"y","kind":"created","type":"float","detail":""}],"seconds":0.01}}');
INSERT INTO "records" VALUES(5,'00000000000000000000000000000001','75ef6df997504a74958f97422720032c',1.79571916770120167733e+09,'{"type":"decision","round":0,"decision":"approved","why":"the user said yes"}');
INSERT INTO "records" VALUES(6,'00000000000000000000000000000002','f0e4b046af944b7aa2dd2b0370299d4b',1.79571916784113717077e+09,'{"type":"decision","round":2,"decision":"gave up","why":"no candidate worked"}');
CREATE TABLE tasks (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    id      TEXT NOT NULL UNIQUE,
    session TEXT NOT NULL,
    text    TEXT NOT NULL,
    options TEXT NOT NULL,
    origin  TEXT NOT NULL,
    state   TEXT NOT NULL,
    reason  TEXT NOT NULL DEFAULT '',
    created REAL NOT NULL,
    updated REAL NOT NULL
);
INSERT INTO "tasks" VALUES(1,'00000000000000000000000000000001','3e0f6c2a-lesson','the mean of x','{"mode":"auto","model":"auto","retries":2,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[]}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":23384,"started":1795719165.77}','done','',1.79571916745954108241e+09,1.79571916774943184848e+09);
INSERT INTO "tasks" VALUES(2,'00000000000000000000000000000002','3e0f6c2a-lesson','plot größe by 年','{"mode":"auto","model":"auto","retries":2,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[]}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":23384,"started":1795719165.77}','failed','no candidate worked',1.7957191677932868004e+09,1.79571916788904953005e+09);
INSERT INTO "tasks" VALUES(3,'00000000000000000000000000000003','3e0f6c2a-lesson','a task of yesterday','{"mode":"auto","model":"auto","retries":2,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[]}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":23384,"started":1795719165.77}','cancelled','cancelled by the user',1.79571916793727421757e+09,1.79571916798508024208e+09);
INSERT INTO "tasks" VALUES(4,'00000000000000000000000000000004','3e0f6c2a-lesson','never ended','{"mode":"auto","model":"auto","retries":2,"timeout":600.0,"max_tokens":600,"temperature":0.0,"seed":null,"context":true,"use":[]}','{"id":"3e0f6c2a-lesson","notebook":"lesson.ipynb","pid":23384,"started":1795719165.77}','accepted','',1.79571916803310966488e+09,1.79571916803310966488e+09);
CREATE INDEX tasks_by_session ON tasks (session, number);
CREATE INDEX tasks_by_state ON tasks (state);
CREATE INDEX records_by_task ON records (task, id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('tasks',4);
INSERT INTO "sqlite_sequence" VALUES('events',13);
INSERT INTO "sqlite_sequence" VALUES('records',6);
COMMIT;
PRAGMA user_version=1;
