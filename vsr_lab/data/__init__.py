"""Training data: decoded footage, datasets and batches. `Curriculum` and the data module are in `datamodule`."""

from vsr_lab.data.batch import Batch, Sample, collate, make_pair
from vsr_lab.data.dataset import CropOptions, Crops, WindowOptions, Windows
from vsr_lab.data.holdout import hold_out, spread
from vsr_lab.data.store import StoredClip, StoreEntry, inspect_store, remove_entry, stored_files
from vsr_lab.data.store_writer import store_shots
