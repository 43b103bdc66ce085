"""Coverage-guided fuzzing of what reads strangers' bytes. Each target runs by hand for as long as is wanted:

python tests/fuzz/fuzz_audio.py -max_total_time=600
"""
