"""Preview of an upscaling: a few seconds of a file, and a picture of one frame before and after."""

from dataclasses import replace
from pathlib import Path

from vsr_lab.core.clip import to_eight_bit, to_frames, to_tensor
from vsr_lab.core.errors import UserError
from vsr_lab.core.pictures import SheetRow, write_contact_sheet
from vsr_lab.core.resize import resize_to
from vsr_lab.deployment import Encoding
from vsr_lab.deployment.pipeline.preparation import open_source
from vsr_lab.deployment.planning.outputs import whole_output
from vsr_lab.video import ReadOptions, VideoFile
from vsr_lab.workflows.batch import Task, Upscaler

_SECONDS = 4.0
_KEEP = ReadOptions(tone_map="keep", deinterlace="keep", transfer="srgb")


def preview_of(upscaler: Upscaler, task: Task) -> tuple[Upscaler, Task]:
    """Make an upscaler and a task that upscale only a few seconds of a source.

    Returns:
        Copy of the upscaler that upscales only the preview (4 seconds in the middle, unless the encoding sets start or
        stop), and copy of the task with the output NAME.preview.SUFFIX instead of NAME.SUFFIX.

    Raises:
        UserError: the source cannot be read; the file of the preview's picture exists and `overwrite` is not set; or
            this file is the source.
    """
    settings, encoding = upscaler.settings, upscaler.settings.encoding
    whole = whole_output(task.output)
    output = whole.with_name(f"{whole.stem}.preview{whole.suffix}")
    output = output if whole == task.output else output / task.output.name
    if (picture := _picture(output)).exists() and not settings.overwrite:
        raise UserError(picture, "already exists", "choose another output= or set overwrite=true")
    if picture.exists() and picture.samefile(task.source.path):
        raise UserError(
            picture, "is the input, and would be replaced by the picture of the preview", "choose another output="
        )
    if encoding.stop is None:
        start = encoding.start or max(
            0.0, (open_source(task.source.path, encoding, task.source.read_options).probe.timestamps[-1] - _SECONDS) / 2
        )
        encoding = replace(encoding, start=start, stop=start + _SECONDS)
    return upscaler.encoded(encoding), replace(task, output=output)


def write_picture(task: Task, encoding: Encoding, overwrite: bool) -> Path:
    """Write a PNG file with the middle frame of a preview, before (bicubic) and after upscaling. Returns its path."""
    before, after = (
        open_source(task.source.path, encoding, task.source.read_options),
        VideoFile(whole_output(task.output), read_options=_KEEP),
    )
    number = before.frames // 2
    lr, sr = (video.read(number, number + 1).frames for video in (before, after))
    size = sr.shape[1], sr.shape[2] // (2 if encoding.evidence else 1)
    enlarged = to_frames(resize_to(to_tensor(lr), size).clamp(0, 1))
    images, captions = [enlarged[0], to_eight_bit(sr)[0]], ["source, enlarged by bicubic", "upscaled"]
    title = f"{task.source.path.name}, frame {before.first + number}"
    write_contact_sheet(_picture(task.output), [SheetRow(images, captions, title)], replace=overwrite)
    return _picture(task.output)


def _picture(output: Path) -> Path:
    whole = whole_output(output)
    return whole.with_name(f"{whole.stem if whole == output else whole.name}.png")
