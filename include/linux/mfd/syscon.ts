// SPDX-License-Identifier: GPL-2.0-only
// System controllers: registers of which many drivers use a few.
// Linux 6.12: include/linux/mfd/syscon.h
export { syscon_node_to_regmap } from '#drivers/mfd/syscon.js';
