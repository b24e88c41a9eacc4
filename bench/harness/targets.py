"""What has to come out of a row, told from the medians of its servers. A target is a text and a function from
{server: {figure: median}} to (what was measured, whether that is enough)."""
import dataclasses
import typing


@dataclasses.dataclass(frozen=True)
class Target:
    text: str
    judge: typing.Callable


def _ratio(above, below):
    return above / below if below else float("inf")


def beside_nginx(most_cpu, least_rate):
    def judge(medians, own):
        ours, theirs = medians[own], medians["nginx"]
        cpu, rate = _ratio(ours["cpu"], theirs["cpu"]), _ratio(ours["rate"], theirs["rate"])
        return f"CPU {cpu:.2f}x, rate {rate:.2f}x", cpu <= most_cpu or rate >= least_rate
    return Target(f"CPU ≤ {most_cpu}x nginx's or rate ≥ {least_rate}x", judge)


def cpu_below(other, times):
    def judge(medians, own):
        factor = _ratio(medians[other]["cpu"], medians[own]["cpu"])
        return f"{factor:.0f}x less", factor >= times
    return Target(f"≥ {times}x less CPU than {other}", judge)


def rate_times(other, times):
    def judge(medians, own):
        factor = _ratio(medians[own]["rate"], medians[other]["rate"])
        cpu = _ratio(medians[own]["cpu"], medians[other]["cpu"])
        return f"rate {factor:.2f}x (CPU {cpu:.2f}x)", factor >= times
    return Target(f"rate ≥ {times}x {other}'s", judge)


def rate_at_least(least):
    def judge(medians, own):
        return f"{medians[own]['rate']:,.0f}/s", medians[own]["rate"] >= least
    return Target(f"≥ {least:,}/s", judge)


def cpu_at_most(most):
    def judge(medians, own):
        return f"{medians[own]['cpu']:.2f} CPU-s/GB", medians[own]["cpu"] <= most
    return Target(f"≤ {most} CPU-s/GB", judge)


def peak_at_most(most):
    def judge(medians, own):
        return f"{medians[own]['peak_mb']:.0f} MB", medians[own]["peak_mb"] <= most
    return Target(f"memory ≤ {most} MB", judge)


def flush_every(images):
    def judge(medians, own):
        each = medians[own].get("flushes_per_image", 0)
        return f"one for {_ratio(1, each):.1f} images", each * images >= 1
    return Target(f"a device flush for at least every {images}th image", judge)


def all_open():
    def judge(medians, own):
        return f"{medians[own]['open_at_once']:.0f} open at once, {medians[own]['errors']:.0f} failed", \
            medians[own]["errors"] == 0 and medians[own]["open_at_once"] == medians[own]["connections"]
    return Target("no failure, all open at once", judge)
