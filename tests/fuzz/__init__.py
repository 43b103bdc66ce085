"""Coverage-guided fuzzing of the code that reads untrusted bytes. Each target can be run for any time:

python tests/fuzz/fuzz_audio.py -max_total_time=600
"""
