// SPDX-License-Identifier: GPL-2.0-only
// Sleep states of the system.
// Linux 6.12: include/linux/suspend.h
//
// Left out: platform operations, hibernation.
import type { int } from '#linux/types.js';

export type suspend_state_t = int;

export const PM_SUSPEND_ON: suspend_state_t = 0;
export const PM_SUSPEND_TO_IDLE: suspend_state_t = 1;
export const PM_SUSPEND_STANDBY: suspend_state_t = 2;
export const PM_SUSPEND_MEM: suspend_state_t = 3;
export const PM_SUSPEND_MAX: suspend_state_t = 4;
