#!/usr/bin/env bash
# Judges one candidate on all eval clips, x4: results/zoo/judge.sh NAME candidate=... [candidate.path=...]
# JUDGED: where runs go; FOOTAGE: the folder that results/zoo/footage.py wrote; VID4: clips of Vid4, or empty.
set -euo pipefail
name=$1; shift
out=${JUDGED:-results/zoo/judged}; footage=${FOOTAGE:-results/footage}
for content in ${CONTENTS:-live_action animation screen_capture}; do
  [ -f "$out/$content/$name/summary.json" ] || vsr-lab evaluate "$@" suite=manifest suite.name="$content" suite.root="$footage/eval.csv" \
    suite.content="$content" protocol=content-x4-bi-y run_dir="$out/$content/$name" overwrite=true
done
if [ -n "${VID4:-}" ] && ! [ -f "$out/vid4/$name/summary.json" ]; then
  vsr-lab evaluate "$@" suite=vid4 suite.root="$VID4" protocol=vid4-bi-y run_dir="$out/vid4/$name" overwrite=true
fi
