"""AAC in transport streams: removal of its ADTS or LATM framing, which MP4 and Matroska do not use.

References: ISO/IEC 14496-3, 1.7 (LATM and LOAS) and 1.A.2 (ADTS).
"""

_RATES = 13  # sampling_frequency_index up to 12 names a rate; 15 is followed by one


def adts_config(packet: bytes) -> bytes:
    """AudioSpecificConfig (MP4 header of AAC audio) of a packet with an ADTS header. Raises ValueError without one."""
    if len(packet) < 7 or packet[0] != 0xFF or packet[1] & 0xF6 != 0xF0:
        raise ValueError("AAC without an ADTS header")
    kind, rate = (packet[2] >> 6) + 1, packet[2] >> 2 & 15
    channels = (packet[2] & 1) << 2 | packet[3] >> 6
    if rate >= _RATES or not channels:
        raise ValueError("AAC whose ADTS header states no channels")
    return (kind << 11 | rate << 7 | channels << 3).to_bytes(2, "big")


def adts_payload(packet: bytes) -> bytes:
    """Remove the ADTS header of a packet."""
    if len(packet) < 7 or packet[0] != 0xFF or packet[1] & 0xF6 != 0xF0:
        return packet
    return packet[7 if packet[1] & 1 else 9 :]
