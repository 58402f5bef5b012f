#!/usr/bin/env bash
# Trains one model of the zoo: results/zoo/train.sh NAME [key=value ...]; `results/zoo/README.md` has the footage.
#   mixed                                 streaming, from nothing, on everything
#   live_action animation sharp_screen_capture  streaming, goes on from mixed (train that one first)
#   screen_capture                        calmer, goes on from sharp_screen_capture
#   screen_capture_x2                     streaming, from nothing
#   basicvsr_live_action basicvsr_animation basicvsr_screen_capture   BASICVSR=<the authors' .pth> is trained on
set -euo pipefail
name=$1; shift
content=${name#basicvsr_}; content=${content#sharp_}; content=${content%_x2}
scale=4; [[ $name == *_x2 ]] && scale=2
runs=${RUNS:-results/zoo/runs}
common=(name="$name" content="$content" scale=$scale data.root="${FOOTAGE:-results/footage}/train.csv"
  run_dir="$runs/$name" logger=none data.hold_out=0.04 data.tries=4 trainer.precision=bf16-mixed
  validation.every=300 validation.clips=16 validation.size=256 save_every=100 measure_every=300 trainer.ema_decay=0.995
  validation.score.flicker=-0.5)
[ "$content" = mixed ] || common+=(data.content="$content")
streaming=(model=recurrent_flow_small loss=aligned scheduler=one_cycle data.size=$((48 * scale)) data.batch_size=4
  loss.terms.flicker.weight=0.3 loss.estimator.shrink=2)
case $name in
  mixed) streaming+=(model.warm_up=0 data.clip_frames=5 loss.terms.flicker.weight=0
    optimizer.lr=1e-3 trainer.max_steps=2600) ;;
  *_x2) streaming+=(data.clip_frames=6 optimizer.lr=1e-3 trainer.max_steps=600) ;;
  screen_capture) streaming+=(init_from="$runs/sharp_$name/network.safetensors" data.clip_frames=8
    loss.terms.flicker.weight=1 loss.terms.flicker.start=0 optimizer.lr=4e-4 trainer.max_steps=400 validation.every=400) ;;
  *) streaming+=(init_from="$runs/mixed/network.safetensors" data.clip_frames=8 optimizer.lr=6e-4 trainer.max_steps=600) ;;
esac
[ "$name" != live_action ] || streaming+=(loss.terms.flicker.weight=1)
fine=(model=basicvsr init_from="${BASICVSR:-}" data.size=256 data.clip_frames=7 data.batch_size=1
  scheduler=one_cycle optimizer.lr=1e-4 trainer.max_steps=200)
case $name in
  basicvsr_*) vsr-lab train "${common[@]}" "${fine[@]}" "$@" ;;
  *) vsr-lab train "${common[@]}" "${streaming[@]}" "$@" ;;
esac
