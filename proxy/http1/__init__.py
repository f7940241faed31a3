"""HTTP/1.1 messages: heads read by llhttp, bodies measured, heads serialised afresh (RFC 9110, 9112).

Nothing in this package touches a socket or a clock: `parser` and `framing` turn bytes into heads and body
pieces, `fields` and `serializer` turn heads into the bytes for the other side, `errors` names what was wrong.
"""
