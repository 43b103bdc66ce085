"""The benchmark of deployed variants: real uploads, joined with what AWS reports of each of them."""
