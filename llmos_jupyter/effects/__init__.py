"""What a run did to the namespace, as data: found and packed in the sandbox, committed to the notebook, undone.

`transaction` is the way in. `kind` is the table of kinds; `census` and `pack` work in the copy, `build` and `commit` in
the parent, which treats everything the copy says as hostile.
"""
