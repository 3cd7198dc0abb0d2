"""What a run did to the namespace, as data: found and packed in the sandbox, committed to the notebook, undone.

`transaction` is the way in. `kind` is the table of kinds; `copy` is the process in which code runs; `objects.census`
and `pack` work there, `build` and `commit` in the parent, which treats everything the copy says as hostile. `words`
says what changed; `kept` is undo of what ran in the notebook itself.
"""
