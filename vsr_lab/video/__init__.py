"""Reading of video and of folders of images, and writing of lossless video and of MP4."""

from vsr_lab.video.damage import Damage
from vsr_lab.video.image_sequence import ImageSequence, open_picture
from vsr_lab.video.interlace_detection import Interlacing, detect_interlacing
from vsr_lab.video.probe import Probe, probe
from vsr_lab.video.read_options import REFUSE, ReadOptions
from vsr_lab.video.reader import Footage, VideoFile, find_footage, open_footage, read_chunks, read_video
from vsr_lab.video.writer import VideoWriter
