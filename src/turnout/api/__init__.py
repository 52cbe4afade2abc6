"""Wire types: the public contract that CRDs are generated from, and the digest."""
