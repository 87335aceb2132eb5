// SPDX-License-Identifier: GPL-2.0-only
// Protocol buffers, as far as writing goes: varints, fixed 64 bits, text, and messages in messages.

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;

const encoder = new TextEncoder();

/** A message that grows field by field. Numbers are whole, and 0 or more, up to 2^53. */
export class Message {
	#bytes = new Uint8Array(64);
	#size = 0;

	/** What has been written; valid until more is. */
	get bytes(): Uint8Array {
		return this.#bytes.subarray(0, this.#size);
	}

	/** Write it anew. */
	clear(): this {
		this.#size = 0;
		return this;
	}

	/** uint32, uint64, bool, an enum, or int64 that is not negative. */
	varint(field: number, value: number): this {
		return this.#tag(field, VARINT).#varint(value);
	}

	fixed64(field: number, value: number): this {
		this.#tag(field, FIXED64);
		for (let i = 0, rest = value; i < 8; i++, rest = Math.floor(rest / 256)) this.#byte(rest % 256);
		return this;
	}

	string(field: number, text: string): this {
		return this.#delimited(field, encoder.encode(text));
	}

	message(field: number, message: Message): this {
		return this.#delimited(field, message.bytes);
	}

	#delimited(field: number, bytes: Uint8Array): this {
		this.#tag(field, LENGTH_DELIMITED).#varint(bytes.length);
		this.#reserve(bytes.length);
		this.#bytes.set(bytes, this.#size);
		this.#size += bytes.length;
		return this;
	}

	#tag(field: number, type: number): this {
		return this.#varint(field * 8 + type);
	}

	#varint(value: number): this {
		let rest = value;
		for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#byte(0x80 | (rest % 0x80));
		this.#byte(rest);
		return this;
	}

	#byte(byte: number): void {
		this.#reserve(1);
		this.#bytes[this.#size++] = byte;
	}

	#reserve(count: number): void {
		if (this.#size + count <= this.#bytes.length) return;
		const bytes = new Uint8Array(2 * (this.#size + count));
		bytes.set(this.bytes);
		this.#bytes = bytes;
	}
}
