#!/bin/bash
# A module of dracut: runs the init of the elements in place of mounting a root.

# Called by dracut.
check() {
    return 0
}

depends() {
    echo bash network
}

install() {
    # shellcheck disable=SC2154 # dracut sets the variable
    inst_hook cmdline 80 "$moddir/deploy-cmdline.sh"
    inst_hook pre-mount 50 "$moddir/init.sh"
}
