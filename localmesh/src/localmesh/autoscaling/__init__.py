"""HorizontalPodAutoscalers at work on processes, by Kubernetes' published algorithm.

`recommend.py` decides, as a pure function of what was observed; `pods.py` says what one metric asks for, `behavior.py`
how fast that may happen; `usage.py` and `own_metrics.py` measure; `controller.py` does it every so often.
"""
