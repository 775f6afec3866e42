# For the shell of a lesson, at the top of the checkout, while a copy runs: . workshop/env.sh
# AT is the running copy's ingress, ADMIN its Envoy's own page.
export PATH="$PWD/.venv/bin:$PATH"
export $(inkmesh status --json | python -c 'import json, sys
status = json.load(sys.stdin)
print("AT=" + status["ingress"], "ADMIN=" + status["envoy"]["admin"])')
