import atexit
import gc

__version__ = "0.1.0"

# The objects of all modules stay until the process ends. Without these two lines, Python's
# garbage collector looks at them again and again while they are imported, and once more at the end
# of the process. Both together are a third of the processor time of a short command.
gc.set_threshold(10_000)
atexit.register(gc.freeze)
