"""What the processor of a function changes in its bill."""

ARCHITECTURES = ("x86_64", "arm64")
ARM64_PRICES = {
    "lambda.gb_second": "lambda.arm.gb_second",
    "lambda.provisioned.gb_second": "lambda.arm.ready_gb_second",
    "lambda.provisioned.duration_gb_second": "lambda.arm.used_gb_second",
}
"""What costs less on arm64. Requests and SnapStart cost the same: AWS's price list has one usage type for both."""
ARM64_REMARK = "durations are those on x86_64 unless given; measure yours on arm64"


def price_for(architecture: str, price_id: str) -> str:
    """The name of the price on an architecture, for that on x86_64."""
    return ARM64_PRICES.get(price_id, price_id) if architecture == "arm64" else price_id
