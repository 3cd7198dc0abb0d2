"""Who runs what, where and when: pure functions over plain data. Nothing here starts, stops or measures anything."""
