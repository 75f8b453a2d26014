// Nothing of the driver is asked for in kernels.
#pragma once
