"""Names in the rows of cost analyses, which the modules that measure and the pages share."""

QUALITY, INFERENCE, TRAINING, CONDITIONS = "quality", "inference", "training", "conditions"
DIFFERENCE = "f1_difference_points"
FRONT = "pareto_front"  # 1, or 0 with the point that outdoes this one in `detail`
