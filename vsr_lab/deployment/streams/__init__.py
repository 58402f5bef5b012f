"""Streams of video files: properties of the source, and writing of the video and the other streams of the output."""
