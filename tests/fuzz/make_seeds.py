#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Seeds of the fuzzers of transfers, made from the drawing in include/wiremill/wire.h.

    make_seeds.py            writes corpus/chunk and corpus/transfer beside itself
"""
import pathlib
import struct

CORPUS = pathlib.Path(__file__).resolve().parent / "corpus"
DONE = 0xFFFF
# transfer_fuzz.c
OBJECT_BYTES = 3000
SAY_CHUNK, SAY_ACK, EXCHANGE, LOSE, TIME, HASH, ANEW = range(7)


def chunk(object_bytes, offset, data):
    return struct.pack("<QQ", object_bytes, offset) + data


def ack(received, hashed=0, life=1, window=2048, status=0, bitmap=b""):
    return struct.pack("<QQIIHH", received, hashed, life, window, status, 0) + bitmap


def say(kind, body, sequence=b""):
    return bytes([kind, len(sequence + body)]) + sequence + body


def act(*kinds, by=0):
    return b"".join(bytes([kind, by]) for kind in kinds)


def chunks():
    return {
        "question": chunk(1000, 0, b""),
        "block": chunk(1000, 128, bytes(128)),
        "last": chunk(1000, 896, bytes(range(104))),
        "all": chunk(200, 0, bytes(200)),
        "overflow": chunk(2**64 - 1, 2**64 - 128, bytes(127)),
        "ack": ack(256, 128, bitmap=b"\x16"),
        "ack_done": ack(1000, 1000, status=DONE),
        "ack_refused": ack(0, life=0, window=0, status=2),
        "ack_full": ack(0, bitmap=b"\xfe" + bytes(510) + b"\x80"),
    }


def transfers():
    data = bytes((i * 7 + i // 256) & 0xFF for i in range(OBJECT_BYTES))
    whole = act(*[EXCHANGE] * 8) + act(HASH, by=255) + act(TIME, EXCHANGE, by=2)
    return {
        "whole": whole,
        "lost": act(EXCHANGE, LOSE, *[EXCHANGE] * 8) + act(HASH, TIME, EXCHANGE, by=255),
        "anew": act(EXCHANGE, EXCHANGE, EXCHANGE) + act(ANEW, by=9) + whole,
        "forged_data": act(EXCHANGE) + say(SAY_CHUNK, chunk(OBJECT_BYTES, 0, bytes(128))) + whole,
        "true_data": say(SAY_CHUNK, chunk(OBJECT_BYTES, 2944, data[2944:])) + whole,
        "forged_ack": act(EXCHANGE, EXCHANGE) + say(SAY_ACK, ack(1024), b"\x01") + whole,
        "forged_life": act(EXCHANGE, EXCHANGE, LOSE)
                       + say(SAY_ACK, ack(0, life=5, bitmap=b"\x06"), b"\x01") + whole,
        "forged_done": act(EXCHANGE)
                       + say(SAY_ACK, ack(OBJECT_BYTES, OBJECT_BYTES, status=DONE), b"\x01"),
        "silence": act(EXCHANGE, LOSE, LOSE) + act(*[TIME, LOSE] * 12, by=50),
    }


def main():
    for folder, seeds in {"chunk": chunks(), "transfer": transfers()}.items():
        (CORPUS / folder).mkdir(exist_ok=True)
        for name, data in seeds.items():
            (CORPUS / folder / name).write_bytes(data)


main()
