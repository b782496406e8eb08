"""Training by private steps, where an example is a person: DP-SGD (Abadi et al., CCS 2016) as Opacus does it.

In each step everybody is drawn with the same chance, whoever else is (Poisson sampling); the gradient of each who is
drawn, all that they ever did together, is clipped to a length, and noise is added to the sum. What that costs says
``accountant.epsilon_of_sampled``. Noise and draws are of the operating system's entropy.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from graphrec.errors import ConfigError
from graphrec.privacy.accountant import REMEDY, Sampled


class Training:
    """Private steps of one module.

    Args:
        model: whose layers Opacus can tell people's gradients apart in. steps: the chance that somebody is drawn, the
            deviation of the noise over ``clip``, and how many steps. people: how many there are, as far as that is
            known in public. clip: length of one person's gradient at most. rate: of Adam.
        draw: a stand-in for the system's entropy; protects nobody.

    Raises ConfigError where Opacus is not installed, and for layers that it cannot tell people's gradients apart in.
    """

    def __init__(
        self,
        model: nn.Module,
        steps: Sampled,
        people: float,
        clip: float,
        rate: float,
        draw: torch.Generator | None = None,
    ) -> None:
        try:
            from opacus import GradSampleModule
            from opacus.optimizers import DPOptimizer
            from opacus.validators import ModuleValidator
        except ImportError:
            raise ConfigError(REMEDY) from None
        if wrong := ModuleValidator.validate(model, strict=False):
            raise ConfigError(f"privacy.epsilon: {wrong[0]}; leave the block out")
        if draw is None:
            draw = torch.Generator()
            draw.seed()  # of the system's entropy
        self.draw, self.steps = draw, steps
        self.model: Any = GradSampleModule(model, loss_reduction="sum")
        adam = torch.optim.Adam(self.model.parameters(), lr=rate)
        expected = max(round(steps.rate * people), 1)
        self.optimiser: Any = DPOptimizer(
            adam, noise_multiplier=steps.noise, max_grad_norm=clip, expected_batch_size=expected, generator=draw
        )

    def run(self, n: int, loss: Callable[[Any, Tensor], Tensor]) -> None:
        """All steps over ``n`` people; ``loss``: of the module and numbers (B,) of people to the loss of each (B,)."""
        for _ in range(self.steps.steps):
            self.step(torch.nonzero(torch.rand(n, generator=self.draw) < self.steps.rate).ravel(), loss)
        self.model.remove_hooks()

    def step(self, drawn: Tensor, loss: Callable[[Any, Tensor], Tensor]) -> None:
        """One step on those who were drawn, int64 (B,), which may be nobody: noise is added all the same."""
        self.optimiser.zero_grad(set_to_none=True)
        if len(drawn):
            with warnings.catch_warnings():  # its hooks say that histories want no gradient
                warnings.filterwarnings("ignore", "Full backward hook is firing")
                loss(self.model, drawn).sum().backward()  # type: ignore[no-untyped-call]
        else:
            for p in self.model.parameters():
                p.grad_sample = p.new_zeros((0, *p.shape))
        self.optimiser.step()
