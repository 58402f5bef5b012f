"""Transfer of audio, subtitles and other streams to the output. A carrier copies or converts the packets of one stream.

The ADTS headers of AAC in transport streams (ISO/IEC 14496-3, 1.A.2) are removed, since MP4 and Matroska do not use
them.
"""

from fractions import Fraction
from typing import Any, Protocol, TypeAlias

from av.audio.resampler import AudioResampler
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Disposition
from av.subtitles.subtitle import SubtitleSet

from vsr_lab.core.records.deployment import StreamPlan
from vsr_lab.deployment.streams.survey import SourceStream

_RATES = 13  # sampling_frequency_index up to 12 names a rate; 15 is followed by one


def adts_config(packet: bytes) -> bytes:
    """AudioSpecificConfig (MP4 header of AAC audio) from the ADTS header of a packet.

    Raises ValueError if there is no ADTS header, or if it does not state rate and channels.
    """
    if len(packet) < 7 or packet[0] != 0xFF or packet[1] & 0xF6 != 0xF0:
        raise ValueError("AAC without an ADTS header")
    kind, rate = (packet[2] >> 6) + 1, packet[2] >> 2 & 15
    channels = (packet[2] & 1) << 2 | packet[3] >> 6
    if rate >= _RATES or not channels:
        raise ValueError("AAC whose ADTS header states no channels")
    return (kind << 11 | rate << 7 | channels << 3).to_bytes(2, "big")


def adts_payload(packet: bytes) -> bytes:
    """Content of an AAC packet without its ADTS header."""
    if len(packet) < 7 or packet[0] != 0xFF or packet[1] & 0xF6 != 0xF0:
        return packet
    return packet[7 if packet[1] & 1 else 9 :]


_BITS_PER_CHANNEL = 96_000
AUDIO_ENCODERS = ("aac", "libopus", "ac3", "pcm_s24le", "pcm_s16le")  # the first that the container takes


AnyPacket: TypeAlias = Any  # av.Packet of any stream


class Carrier(Protocol):
    """Function that takes a packet of a stream of the source, or None after the last, and returns packets to write."""

    def __call__(self, packet: AnyPacket | None) -> list[AnyPacket]: ...


def add_carrier(
    output: OutputContainer, source: Any, known: SourceStream, *, plan: StreamPlan, first: bytes = b""
) -> Carrier | None:
    """Add a stream other than the video, such as audio or subtitles, to the output.

    Args:
        output: output container; nothing is written yet.
        source: the open stream of the source.
        known: properties of the stream.
        plan: whether the stream is copied or converted, and to which codec.
        first: content of the stream's first packet. For a cover, this is the picture. For AAC whose header is not
            stored in the source, the header is computed from this packet.

    Returns:
        Function to which the packets of the stream are passed; None for an attachment, which is complete already.

    Raises:
        ValueError, av.error.FFmpegError: the container does not support the stream.
    """
    if known.kind == "attachment" or (known.kind == "cover" and plan.to == "attachment"):
        name = known.metadata.get("filename") or f"cover.{'jpg' if known.codec == 'mjpeg' else known.codec}"
        kind = known.metadata.get("mimetype") or f"image/{'jpeg' if known.codec == 'mjpeg' else known.codec}"
        output.add_attachment(name, kind, known.extradata if known.kind == "attachment" else first)
        return None
    if plan.action == "convert" and known.kind == "audio" and plan.to != "aac (raw)":
        made = _AudioConverter(output, source, plan.to)
    elif plan.action == "convert" and known.kind == "subtitle":
        made = _SubtitleConverter(output, source, plan.to)
    else:
        made = _Copier(output, source, first if plan.to == "aac (raw)" else b"")
    carrier = _described(made, known)
    return _continuous(carrier) if known.kind == "audio" and source.container.format.name == "avi" else carrier


def _continuous(carrier: Carrier) -> Carrier:
    """A carrier of audio of AVI that moves packets which overlap the previous packet, because of a wrong time base."""
    end = 0

    def carry(packet: AnyPacket | None) -> list[AnyPacket]:
        nonlocal end
        if packet is not None and packet.pts is not None and packet.duration:
            if packet.pts < end - packet.duration // 2:
                packet.pts = packet.dts = end
            end = packet.pts + packet.duration
        return carrier(packet)

    return carry


def _described(carrier: Any, known: SourceStream) -> Carrier:
    """Copy the language, title and flags of the source's stream to the stream of a carrier."""
    carrier.stream.metadata.update(known.kept)
    carrier.stream.disposition = Disposition(known.disposition)
    return carrier


class _Copier:
    """Carrier that copies packets; ADTS headers of AAC are removed."""

    def __init__(self, output: OutputContainer, source: Any, adts: bytes) -> None:
        self.stream: Any = output.add_stream_from_template(source, opaque=True)
        self._adts = bool(adts)
        if adts:
            self.stream.codec_context.extradata = adts_config(adts)

    def __call__(self, packet: AnyPacket | None) -> list[AnyPacket]:
        if packet is None or not packet.size:
            return []
        if packet.dts is None and packet.pts is None:  # a cover
            packet.pts = packet.dts = 0
        if self._adts:
            packet = _with_data(packet, adts_payload(bytes(packet)))
        carried: AnyPacket = packet
        carried.stream = self.stream
        return [carried]


def copied(packet: AnyPacket, stream: Any) -> AnyPacket:
    """Copy a packet, and assign the copy to another stream object.

    Args:
        packet: a packet of a file.
        stream: the packet's stream in a second opening of the same file.
    """
    made = _with_data(packet, bytes(packet))
    for side_data in packet.iter_sidedata():
        made.set_sidedata(side_data)
    made.stream = stream
    return made


def _with_data(packet: AnyPacket, data: bytes) -> AnyPacket:
    changed = Packet(data)
    changed.pts, changed.dts, changed.time_base = packet.pts, packet.dts, packet.time_base
    changed.duration, changed.is_keyframe = packet.duration, packet.is_keyframe
    return changed


class _AudioConverter:
    """Carrier that decodes audio and encodes it with another codec."""

    def __init__(self, output: OutputContainer, source: Any, codec: str) -> None:
        self._source = source
        context = source.codec_context
        rate = 48_000 if codec == "libopus" else context.sample_rate
        self.stream: Any = output.add_stream(codec, rate=rate)
        self.stream.codec_context.layout = context.layout.name
        if not codec.startswith("pcm"):
            self.stream.codec_context.bit_rate = _BITS_PER_CHANNEL * len(context.layout.channels)
        self.stream.codec_context.time_base = Fraction(1, rate)
        self.stream.codec_context.open()
        frame = self.stream.codec_context.frame_size or None
        self._resampler = AudioResampler(self.stream.codec_context.format, context.layout, rate, frame)

    def __call__(self, packet: AnyPacket | None) -> list[AnyPacket]:
        frames: list[Any] = []
        if packet is not None and packet.size:
            frames = [out for frame in packet.decode() for out in self._resampler.resample(frame)]
        elif packet is None:
            frames = [
                out for frame in self._source.codec_context.decode(None) for out in self._resampler.resample(frame)
            ]
            frames += [*self._resampler.resample(None), None]
        return [made for frame in frames for made in self.stream.codec_context.encode(frame) if self._owned(made)]

    def _owned(self, packet: AnyPacket) -> bool:
        packet.stream = self.stream
        return True


class _SubtitleConverter:
    """Carrier that decodes text subtitles and encodes them in another format."""

    def __init__(self, output: OutputContainer, source: Any, codec: str) -> None:
        self._source = source
        self.stream: Any = output.add_stream(codec)
        context = self.stream.codec_context
        source.codec_context.open(strict=False)
        context.subtitle_header = source.codec_context.subtitle_header or _HEADER
        context.time_base = self.stream.time_base = Fraction(1, 1000)
        context.open(strict=False)

    def __call__(self, packet: AnyPacket | None) -> list[AnyPacket]:
        if packet is None or not packet.size or packet.pts is None:
            return []
        lines = [bytes(rect.ass) for rect in packet.decode() if hasattr(rect, "ass")]
        start = round(packet.pts * packet.time_base * 1000)
        length = round((packet.duration or 0) * packet.time_base * 1000)
        made: list[AnyPacket] = []
        for line in lines:
            encoded = self.stream.codec_context.encode_subtitle(SubtitleSet.create(line, 0, length, start))
            encoded.pts = encoded.dts = start
            encoded.duration, encoded.time_base, encoded.stream = length, Fraction(1, 1000), self.stream
            made.append(encoded)
        return made


_HEADER = (
    b"[Script Info]\nScriptType: v4.00+\nPlayResX: 384\nPlayResY: 288\n\n[V4+ Styles]\n"
    b"Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, "
    b"Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, "
    b"MarginV, Encoding\nStyle: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,1\n\n"
    b"[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
)


def delayed(carrier: Carrier, shift: Fraction) -> Carrier:
    """A carrier that adds `shift` seconds to the timestamps of packets."""
    if not shift:
        return carrier

    def carry(packet: AnyPacket | None) -> list[AnyPacket]:
        made = carrier(packet)
        for one in made:
            ticks = round(shift / one.time_base)
            one.pts = None if one.pts is None else one.pts + ticks
            one.dts = None if one.dts is None else one.dts + ticks
        return made

    return carry
