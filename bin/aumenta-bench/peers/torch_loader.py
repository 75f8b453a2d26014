"""PyTorch's DataLoader over the photographs, with the loading and augmenting of a picture left open."""

import torch
from torch.utils import data

import streaming


class Photographs(data.Dataset):
    """The pictures that `load` makes of the paths in a folder."""

    def __init__(self, folder, load):
        self.paths = streaming.paths(folder)
        self.load = load

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        return self.load(self.paths[index])


def batches(options, load):
    """Epoch after epoch from a DataLoader with a process for each thread."""
    torch.manual_seed(7)
    torch.set_num_threads(1)
    loader = data.DataLoader(
        Photographs(options.photographs, load),
        streaming.BATCH,
        shuffle=True,
        drop_last=True,
        num_workers=options.threads,
        persistent_workers=True,
    )
    while True:
        yield from loader
