// SPDX-License-Identifier: GPL-2.0-only
// The place where the trace events of the IOMMU core come to be.
// Linux 6.12: drivers/iommu/iommu-traces.c
// An event is made by the module that defines it; the image only has to have that module in it.
import '#include/trace/events/iommu.js';
