"""What gitqueen costs, as ratios measured in one run against named floors; `benchmarks/run` prints the table.

A benchmark here can lose: it exits 1 when a budget is exceeded. Nothing of the product may import this.
"""
