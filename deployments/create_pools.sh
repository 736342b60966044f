#!/usr/bin/env bash
# Make or update the work pools on the server that PREFECT_API_URL names:
#
#   deployments/create_pools.sh process [slurm] [docker] [kubernetes]
set -euo pipefail
cd "$(dirname "$0")"
if [ $# -eq 0 ]; then
  sed -n '2,4s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
for kind in "$@"; do
  type=${kind/slurm/process} # its worker starts processes that submit
  prefect work-pool create "ilpix-$kind" --type "$type" --base-job-template "pools/$kind.json" --overwrite
done
