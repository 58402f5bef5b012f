#!/usr/bin/env bash
# Trains one model of the zoo: results/zoo/train.sh NAME [key=value ...]; `results/zoo/README.md` has the footage.
#   live_action animation screen_capture screen_capture_x2   streaming, from nothing
#   basicvsr_live_action basicvsr_animation basicvsr_screen_capture   BASICVSR=<the authors' .pth> is trained on
set -euo pipefail
name=$1; shift
content=${name#basicvsr_}; content=${content%_x2}
scale=4; [[ $name == *_x2 ]] && scale=2
common=(name="$name" content="$content" data.content="$content" scale=$scale data.root="${FOOTAGE:-results/footage/train.csv}"
  run_dir="${RUNS:-results/zoo/runs}/$name" logger=none data.hold_out=0.04 data.tries=4
  validation.every=500 validation.clips=16 validation.size=256 save_every=250 measure_every=500 trainer.ema_decay=0.995)
streaming=(model=recurrent_flow_small loss=aligned data.size=$((64 * scale)) data.clip_frames=15 data.batch_size=8
  scheduler=one_cycle optimizer.lr=8e-4 trainer.max_steps=4000)
fine=(model=basicvsr init_from="${BASICVSR:-}" data.size=256 data.clip_frames=15 data.batch_size=4
  optimizer.lr=5e-5 trainer.max_steps=1000)
case $name in
  basicvsr_*) vsr-lab train "${common[@]}" "${fine[@]}" "$@" ;;
  *) vsr-lab train "${common[@]}" "${streaming[@]}" "$@" ;;
esac
