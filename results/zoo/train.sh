#!/usr/bin/env bash
# Trains one model of the zoo: results/zoo/train.sh NAME [key=value ...]; `results/zoo/README.md` has the footage.
#   mixed                                 streaming, from nothing, on everything
#   short_live_action short_animation sharp_screen_capture  streaming, goes on from mixed (train that one first)
#   short_screen_capture                  calmer, goes on from sharp_screen_capture
#   screen_capture_x2                     streaming, from nothing
#   animation                             goes on from live_action
#   calm_screen_capture                   calmer, goes on from long_screen_capture
#   screen_capture                        half of that and half of long_animation
# On a GPU, with RAFT=<raft-small.pth>:
#   live_action long_animation long_screen_capture  longer, goes on from short_...
#   basicvsr_live_action long_basicvsr_animation long_basicvsr_screen_capture  BASICVSR=<the authors' .pth> is trained on
#   tuned_basicvsr_animation tuned_basicvsr_screen_capture  goes on from long_basicvsr_...
#   basicvsr_animation                    half of that, half of the authors'
#   basicvsr_screen_capture               a quarter of each tuned one, half of the authors'
set -euo pipefail
name=$1; shift
content=${name%_x2}
for stage in short long calm sharp tuned basicvsr; do content=${content#"${stage}_"}; done
scale=4; [[ $name == *_x2 ]] && scale=2
runs=${RUNS:-results/zoo/runs} footage=${FOOTAGE:-results/footage}
common=(name="$name" content="$content" scale=$scale run_dir="$runs/$name" logger=none data.hold_out=0.04 data.tries=4
  trainer.precision=bf16-mixed trainer.ema_decay=0.995 scheduler=one_cycle
  validation.every=300 validation.clips=16 validation.size=256 validation.score.flicker=-0.5
  save_every=100 measure_every=300)
[ "$content" = mixed ] || common+=(data.content="$content")
streaming=(model=recurrent_flow_small loss=aligned loss.terms.flicker.weight=0.3)
cpu=(data.root="$footage/train.csv" data.size=$((48 * scale)) data.batch_size=4 loss.estimator.shrink=2)
gpu=(data.root="$footage/long.csv" data.size=256 data.clip_frames=15 data.workers=4
  flow@loss.estimator=raft loss.estimator.weights="${RAFT:-}" loss.estimator.updates=6)
short=("${streaming[@]}" "${cpu[@]}" init_from="$runs/mixed/network.safetensors" data.clip_frames=8
  optimizer.lr=6e-4 trainer.max_steps=600)
# Schedules end later than trainings where a rented machine's time ended first.
long=("${streaming[@]}" "${gpu[@]}" init_from="$runs/short_$content/network.safetensors" data.batch_size=8
  optimizer.lr=8e-4 scheduler.total_steps=1200 trainer.max_steps=800 validation.every=400 loss.terms.flicker.start=0.9)
fine=("${gpu[@]}" model=basicvsr init_from="${BASICVSR:-}" data.batch_size=4 optimizer.lr=5e-5
  loss.terms.flicker.weight=0.3)
half() { python "$(dirname "$0")/blend.py" "$1" "$2" 0.5 "$runs/$3/network.safetensors"; } # and half of the other
case $name in
  screen_capture) half "$runs/long_animation/network.safetensors" "$runs/calm_$name/network.safetensors" "$name"; exit ;;
  basicvsr_animation) half "$BASICVSR" "$runs/tuned_$name/network.safetensors" "$name"; exit ;;
  basicvsr_screen_capture) half "$runs/tuned_basicvsr_animation/network.safetensors" \
    "$runs/tuned_$name/network.safetensors" "both_$name"
    half "$BASICVSR" "$runs/both_$name/network.safetensors" "$name"; exit ;;
  mixed) own=("${streaming[@]}" "${cpu[@]}" model.warm_up=0 data.clip_frames=5 loss.terms.flicker.weight=0
    optimizer.lr=1e-3 trainer.max_steps=2600) ;;
  screen_capture_x2) own=("${streaming[@]}" "${cpu[@]}" data.clip_frames=6 optimizer.lr=1e-3 trainer.max_steps=600) ;;
  short_live_action) own=("${short[@]}" loss.terms.flicker.weight=1) ;;
  short_animation | sharp_screen_capture) own=("${short[@]}") ;;
  short_screen_capture) own=("${short[@]}" init_from="$runs/sharp_$content/network.safetensors" optimizer.lr=4e-4
    loss.terms.flicker.weight=1 loss.terms.flicker.start=0 trainer.max_steps=400 validation.every=400) ;;
  long_animation) own=("${long[@]}") ;;
  animation) own=("${streaming[@]}" data.root="$footage/long.csv" data.size=256 data.clip_frames=15 data.batch_size=2
    init_from="$runs/live_action/network.safetensors" loss.terms.flicker.start=0 loss.estimator.shrink=2
    optimizer.lr=3e-4 trainer.max_steps=120 trainer.ema_decay=0.99 validation.clips=2) ;;
  live_action) own=("${long[@]}" loss.terms.flicker.weight=1) ;;
  long_screen_capture) own=("${long[@]}" trainer.max_steps=700 validation.every=350
    loss.terms.flicker.weight=1.5 loss.terms.flicker.start=0.857) ;;
  calm_screen_capture) own=("${short[@]}" init_from="$runs/long_$content/network.safetensors" optimizer.lr=3e-4
    loss.terms.flicker.weight=4 loss.terms.flicker.start=0 trainer.max_steps=300) ;;
  basicvsr_live_action) own=("${fine[@]}" trainer.max_steps=200 validation.every=100) ;;
  long_basicvsr_*) own=("${fine[@]}" scheduler.total_steps=500 trainer.max_steps=300 validation.every=150
    loss.terms.flicker.weight=0) ;;
  tuned_*) own=("${fine[@]}" init_from="$runs/long_${name#tuned_}/network.safetensors" optimizer.lr=3e-5
    trainer.max_steps=90 validation.every=90 validation.clips=6 save_every=15) ;;
  *) echo "$0: no such name: $name" >&2; exit 2 ;;
esac
vsr-lab train "${common[@]}" "${own[@]}" "$@"
