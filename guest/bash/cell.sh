{ builtin eval "$__cove_code" 2>&249 249>&-; } 249>&2 2>/dev/null
# One line, because bash counts an eval's lines from the line the eval stands on: so errors carry the cell's own line numbers.
# The group's stderr is thrown away and the code's is not, so that `set -x` traces the code and not this line.
