"""The benchmarks whose figures are published, and the page that shows them."""
