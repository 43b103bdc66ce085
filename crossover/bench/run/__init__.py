"""The benchmark of deployed variants: real uploads, joined with what AWS says of each of them."""
