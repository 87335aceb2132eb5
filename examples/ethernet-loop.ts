// SPDX-License-Identifier: GPL-2.0-only
// Ethernet frames go out and come back by a loop; a device that cannot reach their memory has them bounced.
// Counted is what is mapped by way of the bounce pool, a receive buffer too: it is copied to the pool before the device
// writes to it, so that what the device leaves alone stays. A frame of 256 bytes and more takes its buffer along.
import '#init/vmlinux.js';
import '#tools/lost-output.js';
import { DMA_RX_SIZE } from '#drivers/net/ethernet/stmicro/stmmac/dwmac-sun8i.js';
import { dev_close } from '#linux/netdevice.js';
import { frame, Port, packet } from '#tests/drivers/net/ethernet/stmicro/stmmac/port.js';

/** Bytes of the frame, bytes of it in the linear part, fragments. */
const frames = [
	[60, 60, 0],
	[300, 300, 0],
	[1000, 100, 1],
	[1514, 1514, 0],
	[1514, 66, 3],
];

for (const narrow of [false, true]) {
	const port = new Port(narrow);
	port.open();
	const ring = port.bounced();
	console.log(
		`the bus reaches ${narrow ? '64' : '256'} of 256 MiB: ${ring} bytes bounced for ${DMA_RX_SIZE} empty receive buffers`,
	);
	frames.forEach(([size, linear, frags], i) => {
		const before = port.bounced();
		port.send(packet(frame(size, i), linear, frags));
		port.settle();
		const same = Buffer.compare(port.received[i] ?? new Uint8Array(), frame(size, i)) === 0;
		console.log(
			`  ${size} bytes, ${frags} fragment(s): ${same ? 'came back' : 'LOST'}, ${port.bounced() - before} bytes bounced`,
		);
		if (!same) process.exitCode = 1;
	});
	dev_close(port.net);
}
