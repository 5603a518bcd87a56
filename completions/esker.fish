complete --keep-order --exclusive --command esker --arguments "(COMPLETE=fish esker -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token))"
