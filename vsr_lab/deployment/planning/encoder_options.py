"""Encoder options that may be set. Others could write, read or replace files, such as `stats` of x264."""

import difflib
import re
from collections.abc import Iterator, Mapping

from vsr_lab.core.errors import UserError

_NAMES = """
    8x8dct a53cc alpha_bits alternate_scan altref-mode aq-mode aq-strength aq_mode arnr-maxframes arnr-strength
    arnr-type aud auto-alt-ref avcintra-class b b-bias b-pyramid b_adapt b_qfactor b_qoffset b_ref_mode b_strategy bf
    bits_per_mb bluray-compat bt bufsize cbr chromaoffset cmp coder color_range colorspace compression_level
    constrained-encoding context cplxblur cpu-used cq crf crf_max dc deadline deblock denoise-noise-level dia_size
    direct-pred dpb_size enable-cdef enable-global-motion enable-restoration enable-tpl error-resilience fast-pskip
    field_order film-grain flags forced-idr frame-parallel g global_quality gop_timecode gpu hielevel huffman
    i_qfactor i_qoffset ibias init_qpB init_qpI init_qpP intra-refresh intra_vlc keyint_min la_depth lag-in-frames
    level lossless lumi_mask max-intra-rate maxrate mbcmp mbd mbs_per_slice mbtree me_range min-gf-interval minrate
    mixed-refs motion-est mpeg_quant mpv_flags multipass mv0_threshold nal-hrd nitris_compat no-scenecut
    noise-sensitivity noise_reduction non_linear_quant nonref_p nr overshoot-pct partitions pred preset profile psy
    psy-rd qblur qcomp qdiff qmax qmin qp quality quant_mat rc rc-lookahead rc_init_occupancy refs row-mt sc_detection
    sc_threshold seq_disp_ext sharpness slice-max-size slicecrc slices spatial-aq spatial_aq split_encode_mode
    static-thresh strict strict_gop subcmp subq surfaces temporal-aq temporal_aq thread_type threads tier tile-columns
    tile-rows tile_columns tile_rows trellis tune tune-content undershoot-pct usage vendor weightb weighted_pred
    weightp zerolatency
"""
_X264 = """
    8x8dct alternative-transfer analyse annexb aq-mode aq-strength aud avcintra-class b-adapt b-bias b-pyramid bff
    bframes bitrate bluray-compat cabac cabac-idc chroma-me chroma-qp-offset chromaloc colormatrix colorprim
    constrained-intra cplxblur crf crf-max crop-rect dct-decimate deadzone-inter deadzone-intra deblock deterministic
    direct fast-pskip filler filter force-cfr fps frame-packing fullrange interlaced intra-refresh ipratio keyint
    level lookahead-threads mbtree me merange min-keyint mixed-refs mvrange nal-hrd nf nr open-gop overscan partitions
    pbratio pic-struct psy psy-rd qblur qcomp qp qpmax qpmin qpstep ratetol rc-lookahead ref repeat-headers sar
    scenecut slice-max-mbs slice-max-size slice-min-mbs sliced-threads slices slices-max stitchable subme
    sync-lookahead tff threads transfer trellis vbv-bufsize vbv-init vbv-maxrate videoformat weightb weightp
"""
_X265 = """
    amp analyze-src-pics annexb aq-mode aq-motion aq-strength aud b-adapt b-intra b-pyramid bframe-bias bframes
    bitrate cbqpoffs chromaloc colormatrix colorprim constrained-intra copy-pic cplxblur crf crf-max crf-min crqpoffs
    ctu cu-lossless cutree deblock dynamic-rd early-skip fades fast-intra fps frame-threads gop-lookahead hdr10
    hdr10-opt hevc-aq high-tier hist-scenecut hrd idr-recovery-sei info interlace ipratio keyint level-idc limit-modes
    limit-refs limit-sao limit-tu log-level lookahead-slices lossless master-display max-cll max-merge max-tu-size
    mcstf me merange min-cu-size min-keyint nr-inter nr-intra open-gop opt-qp-pps opt-ref-list-length-pps pbratio pme
    pmode pools profile psy-rd psy-rdoq qblur qcomp qg-size qp qpmax qpmin qpstep radl range rc-lookahead rd rd-refine
    rdoq-level rect ref repeat-headers rskip rskip-edge-threshold sao sao-non-deblock sar scenecut scenecut-bias
    selective-sao signhide slices splitrd-skip ssim-rd strict-cbr strong-intra-smoothing subme temporal-layers
    temporal-mvp transfer tskip tskip-fast tu-inter-depth tu-intra-depth tune uhd-bd vbv-bufsize vbv-end vbv-init
    vbv-maxrate weightb weightp wpp
"""
_SVT = """
    aq-mode bias-pct buf-initial-sz buf-optimal-sz buf-sz chroma-sample-position color-primaries color-range
    content-light crf enable-cdef enable-dlf enable-mfmv enable-overlays enable-qm enable-restoration enable-tf
    enable-variance-boost fast-decode film-grain film-grain-denoise gop-constraint-rc hierarchical-levels
    irefresh-type keyint level lookahead lp mastering-display matrix-coefficients max-qp maxsection-pct mbr min-qp
    minsection-pct overshoot-pct pin pred-struct preset profile qm-max qm-min qp rc recode-loop scd scm sharpness
    startup-mg-size tbr tier tile-columns tile-rows transfer-characteristics tune undershoot-pct
    variance-boost-strength variance-octile
"""
_LISTS = {"": _NAMES, "x264-params": _X264, "x264opts": _X264, "x265-params": _X265, "svtav1-params": _SVT}
_ALLOWED = {option: {*names.split()} for option, names in _LISTS.items()}


def check_options(key: str, options: Mapping[str, str]) -> None:
    """Raise UserError if an option of an encoder is not known to be harmless, since it could write files.

    Args:
        key: configuration key of the options, for the message.
        options: option -> value.
    """
    for option, value in options.items():
        for name, allowed in _named(option, value):
            if name not in allowed:
                near = difflib.get_close_matches(name, allowed, 1)
                problem = f"must not set {name}; only options that change nothing but the coding may be set"
                raise UserError(f"{key}.{option}", problem, f"did you mean {near[0]}?" if near else "")


def _named(option: str, value: str) -> Iterator[tuple[str, set[str]]]:
    """Every name that an option sets, with the names that are allowed in its place."""
    if option in _ALLOWED and option:
        for part in value.split(":"):
            name = part.partition("=")[0].strip().replace("_", "-").removeprefix("no-")
            yield name, _ALLOWED[option]
    else:
        yield option, _ALLOWED[""]
    if option == "flags" and (found := re.search(r"pass\w*", value)):
        yield found[0], _ALLOWED[""]
