/* SPDX-License-Identifier: GPL-2.0-only */
/* The board's registers, played: player.c. A window is a reg entry of a node with "test,windows". */
#ifndef __KIT_PLAYER_H
#define __KIT_PLAYER_H

#include <linux/types.h>

struct device_node;
typedef void (*player_out)(const char *fmt, ...);

int player_init(void);
/* the node of IOMMU @i */
struct device_node *player_node(unsigned int i);
/* enter something else than an access into the log; hand the log over */
__printf(1, 2) void player_note(const char *fmt, ...);
void player_take(player_out out);

void player_set(unsigned int window, u32 offset, u32 value);
u32 player_get(unsigned int window, u32 offset);
/* whether a deaf window keeps what is written */
void player_ram(bool ram);
void player_reset(unsigned int window);
void player_quirk(unsigned int window, u32 bits);
int player_event(u32 stream, u32 addr, bool write, u32 reason);

/* as JSON: a window's registers, what it would find for @iova, and all that it could find */
void player_show(unsigned int window, player_out out);
void player_walk(unsigned int window, u32 iova, player_out out);
void player_tables(unsigned int window, player_out out);

#endif
