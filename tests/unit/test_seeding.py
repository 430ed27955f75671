"""Seeds by purpose: pinned values (they decide every published run), independent streams, torch's generator."""

import torch

from gliner_core.seeding import derive_seed, generator, seed_torch


def test_seeds_are_the_same_on_every_machine_and_version() -> None:
    assert derive_seed(1, "order", 0) == 433034383059858670  # first 8 bytes of sha256("1/order/0"), less one bit
    assert generator(1, "order", 0).random() == 0.006496114652042695


def test_root_purpose_and_step_all_count() -> None:
    seeds = {derive_seed(root, purpose, step) for root in range(3) for purpose in ("a", "b") for step in range(50)}
    assert len(seeds) == 300
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_torch_draws_what_its_purpose_says() -> None:
    seed_torch(1, "dropout", 5)
    first = torch.rand(3)
    torch.rand(100)
    seed_torch(1, "dropout", 5)
    assert torch.equal(torch.rand(3), first)
    seed_torch(1, "dropout", 6)
    assert not torch.equal(torch.rand(3), first)
