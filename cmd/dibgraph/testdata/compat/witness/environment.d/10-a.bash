export WITNESS_ORDER="${WITNESS_ORDER:-} 10-a.bash"
