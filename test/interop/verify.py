#!/usr/bin/env python3
"""An independent verifier of DISEQ's proofs, written from docs/proofs.md alone, in plain Python 3.9 or later.

    verify.py GENESIS PROOF      prints what the proof proves; exit 1 with the check that failed
    verify.py --vectors FILE     checks every vector of test/vectors/proofs.json
"""
import base64
import hashlib
import json
import re
import struct
import sys


class Refused(Exception):
    """A check failed; the first argument is its name."""


def demand(condition, reason, detail=''):
    if not condition:
        raise Refused(reason, detail)


def H(data):
    return hashlib.sha256(data).digest()


# --- Ed25519 by the rule of the document (cofactorless, strict encodings) -----------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)


def point_add(p, q):
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def point_mul(scalar, point):
    result = (0, 1, 1, 0)
    while scalar > 0:
        if scalar & 1:
            result = point_add(result, point)
        point = point_add(point, point)
        scalar >>= 1
    return result


def point_encode(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | ((x & 1) << 255)).to_bytes(32, 'little')


def point_decode(data):
    """The point of a canonical encoding, or None."""
    number = int.from_bytes(data, 'little')
    sign, y = number >> 255, number & ((1 << 255) - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P != 0:
        x = x * SQRT_M1 % P
    if (x * x - square) % P != 0 or (x == 0 and sign == 1):
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


BASE = point_decode((4 * pow(5, P - 2, P) % P).to_bytes(32, 'little'))


def key_point(key):
    """The point of a key that can verify anything, or None."""
    point = point_decode(key)
    if point is None or point_encode(point_mul(8, point)) == point_encode((0, 1, 1, 0)):
        return None
    return point


def signature_holds(key, message, signature):
    point, r, s = key_point(key), signature[:32], int.from_bytes(signature[32:], 'little')
    if point is None or s >= L or point_decode(r) is None:
        return False
    k = int.from_bytes(hashlib.sha512(r + key + message).digest(), 'little') % L
    negated = (P - point[0], point[1], point[2], P - point[3])
    return point_encode(point_add(point_mul(s, BASE), point_mul(k, negated))) == r


# --- Strict JSON --------------------------------------------------------------------------------------------------

MAX_INTEGER = 2**53 - 1


def parse_json(text):
    demand(len(text) <= 64 * 2**20, 'malformed')

    def no_doubles(pairs):
        demand(len({name for name, _ in pairs}) == len(pairs), 'malformed', 'a field twice')
        return dict(pairs)

    def integer(digits):
        demand(re.fullmatch(r'0|[1-9][0-9]*', digits) is not None and len(digits) <= 16, 'malformed', 'a number')
        return int(digits)

    def never(_):
        raise Refused('malformed', 'a number')

    try:
        value = json.loads(
            text, object_pairs_hook=no_doubles, parse_int=integer, parse_float=never, parse_constant=never
        )
    except (ValueError, RecursionError) as error:
        raise Refused('malformed', str(error)) from None
    # Escapes only where JSON requires them.
    for string in re.findall(r'"(?:[^"\\]|\\.)*"', text):
        again = json.dumps(json.loads(string), ensure_ascii=False)
        demand(again == string, 'malformed', 'a needless escape')
    return value


def fields(value, names):
    demand(isinstance(value, dict) and set(value) == set(names), 'malformed', 'its fields are not %s' % names)
    return [value[name] for name in names]


def is_integer(value, most):
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most


def integer_of(value, most=2**32 - 1):
    demand(is_integer(value, most), 'malformed', 'not an integer')
    return value


def list_of(value, most):
    demand(isinstance(value, list) and len(value) <= most, 'malformed', 'not a list, or too long')
    return value


def hex_of(value, size):
    is_hex = isinstance(value, str) and re.fullmatch(r'[0-9a-f]*', value) and len(value) == 2 * size
    demand(is_hex, 'malformed', 'not hex of %d bytes' % size)
    return bytes.fromhex(value)


def base64_of(value):
    demand(isinstance(value, str) and value.isascii(), 'malformed', 'no base64')
    try:
        data = base64.b64decode(value, validate=True)
    except ValueError:
        raise Refused('malformed', 'no base64') from None
    demand(base64.b64encode(data).decode() == value, 'malformed', 'base64 in another form')
    return data


def namespace_of(value):
    demand(isinstance(value, str), 'malformed', 'no namespace')
    try:
        demand(1 <= len(value.encode()) <= 64, 'malformed', 'no namespace')
    except UnicodeEncodeError:
        raise Refused('malformed', 'not well-formed') from None
    return value


# --- Bytes --------------------------------------------------------------------------------------------------------


class Reader:
    """Reads all of some bytes; anything amiss is refused by one name."""

    def __init__(self, data, reason):
        self.data, self.at, self.reason = data, 0, reason

    def raw(self, size):
        demand(size <= len(self.data) - self.at, self.reason, 'cut short')
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size):
        value = int.from_bytes(self.raw(size), 'big')
        demand(value <= MAX_INTEGER, self.reason, 'an integer from 2^53 on')
        return value

    def text(self, least, most):
        size = self.number(1)
        demand(least <= size <= most, self.reason, 'a text of another size')
        try:
            return self.raw(size).decode()
        except UnicodeDecodeError:
            raise Refused(self.reason, 'not UTF-8') from None

    def end(self):
        demand(self.at == len(self.data), self.reason, 'bytes left over')


def decode_message(data, limits):
    reader = Reader(data, 'bad-message')
    demand(len(data) <= limits['maxMessageBytes'], 'bad-message', 'too large')
    flags = reader.number(1)
    demand(flags <= 3, 'bad-message', 'unknown flags')
    message = {'timestamp': reader.number(4), 'namespace': None, 'id': H(data)}
    if flags & 1:
        message['namespace'] = reader.text(1, 64)
    if flags & 2:
        message['expiresAt'] = reader.number(8)
    message['data'] = reader.raw(reader.number(4))
    reader.end()
    return message


def decode_header(data):
    reader = Reader(data, 'bad-header')
    demand(reader.number(2) == 1, 'bad-header', 'another version')
    header = {'chainId': reader.text(1, 32), 'height': reader.number(8), 'view': reader.number(4)}
    header['time'] = reader.number(8)
    header['previousBlockId'] = reader.raw(32)
    header['leader'] = reader.number(2)
    header['vrfProof'] = reader.raw(80)
    for name in ('commitmentsHash', 'batchesHash'):
        header[name] = reader.raw(32)
    header['sequenceRoot'], header['messageCount'] = reader.raw(32), reader.number(4)
    header['namespacesRoot'], header['namespaceCount'] = reader.raw(32), reader.number(4)
    header['stateHeight'], header['stateRoot'] = reader.number(8), reader.raw(32)
    header['validatorsHash'], header['nextValidatorsHash'] = reader.raw(32), reader.raw(32)
    reader.end()
    header['id'] = H(data)
    return header


def text_bytes(value):
    data = value.encode()
    return bytes([len(data)]) + data


def encode_validators(validators):
    data = struct.pack('>H', len(validators))
    for each in validators:
        data += text_bytes(each['name'])
        data += b''.join(bytes.fromhex(each[name]) for name in ('votingKey', 'vrfKey', 'nodeKey'))
        data += struct.pack('>I', each['power'])
    return data


LIMITS = [
    'maxMessageBytes', 'maxBatchBytes', 'maxBatchMessages', 'maxBlockBatches', 'maxBlockBytes', 'maxCommitmentEntries',
]  # fmt: skip


class Trust:
    """What a genesis file, which the user trusts, says."""

    def __init__(self, genesis):
        self.genesis = genesis
        self.validators = genesis['validators']
        self.limits = genesis['limits']
        model = {'byzantine': 1, 'crash': 2}[genesis['faultModel']]
        data = text_bytes('diseq/1/genesis') + text_bytes(genesis['chainId']) + struct.pack('>Q', genesis['time'])
        data += bytes([model]) + b''.join(struct.pack('>I', self.limits[name]) for name in LIMITS)
        self.hash = H(data + encode_validators(self.validators))
        self.validators_hash = H(encode_validators(self.validators))
        total = sum(each['power'] for each in self.validators)
        self.quorum = total - (total - 1) // (3 if model == 1 else 2)

    def signed(self, kind, data):
        return b'diseq/1/' + kind.encode() + b'\0' + self.hash + data


# --- Trees --------------------------------------------------------------------------------------------------------


def leaf_hash(data):
    return H(b'\0' + data)


def levels_up(level):
    pairs = [level[at : at + 2] for at in range(0, len(level), 2)]
    return [H(b'\1' + pair[0] + pair[1]) if len(pair) == 2 else pair[0] for pair in pairs]


def tree_root(leaves):
    level = [leaf_hash(leaf) for leaf in leaves]
    while len(level) > 1:
        level = levels_up(level)
    return level[0] if level else H(b'')


def range_holds(root, leaves, index, size, path):
    if not leaves or index + len(leaves) > size:
        return False
    level, first, last, rest = [leaf_hash(leaf) for leaf in leaves], index, size - 1, list(path)
    while last > 0:
        end = first + len(level) - 1
        needs_left, needs_right = first % 2 == 1, end % 2 == 0 and end < last
        if len(rest) < needs_left + needs_right:
            return False
        if needs_left:
            level.insert(0, rest.pop(0))
        if needs_right:
            level.append(rest.pop(0))
        level, first, last = levels_up(level), first // 2, last // 2
    return not rest and level == [root]


def path_of(value):
    return [hex_of(each, 32) for each in list_of(value, 64)]


# --- Final headers ------------------------------------------------------------------------------------------------


def read_header(trust, value):
    header = decode_header(base64_of(value))
    demand(header['height'] >= 1, 'bad-header')
    demand(header['chainId'] == trust.genesis['chainId'], 'other-chain')
    hashes = {header['validatorsHash'], header['nextValidatorsHash']}
    demand(hashes == {trust.validators_hash}, 'other-validators')
    return header


def read_finality(trust, value, header):
    reader = Reader(base64_of(value), 'bad-finalization')
    demand(reader.number(1) == 3, 'bad-finalization', 'another kind')
    height, view, block_id = reader.number(8), reader.number(4), reader.raw(32)
    count = reader.number(2)
    demand(count <= 256, 'bad-finalization')
    signatures = [(reader.number(2), reader.raw(64)) for _ in range(count)]
    reader.end()
    signers = [validator for validator, _ in signatures]
    demand(all(a < b for a, b in zip(signers, signers[1:])), 'bad-finalization', 'not ascending')
    demand(height == header['height'], 'other-height')
    demand(block_id == header['id'], 'other-block')
    demand(view >= header['view'], 'early-view')
    demand(all(validator < len(trust.validators) for validator in signers), 'unknown-validator')
    power = sum(trust.validators[validator]['power'] for validator in signers)
    demand(power >= trust.quorum, 'no-quorum')
    message = trust.signed('finalize', struct.pack('>BQI', 4, height, view) + block_id)
    for validator, signature in signatures:
        key = bytes.fromhex(trust.validators[validator]['votingKey'])
        demand(signature_holds(key, message, signature), 'bad-signature', 'of validator %d' % validator)
    return {'signers': signers, 'power': power, 'view': view}


def read_headers(trust, value):
    headers = [read_header(trust, each) for each in list_of(value, 10_000)]
    demand(headers, 'malformed', 'no headers')
    for before, after in zip(headers, headers[1:]):
        follows = after['height'] == before['height'] + 1 and after['previousBlockId'] == before['id']
        demand(follows, 'broken-link')
        demand(after['time'] > before['time'], 'time-goes-back')
    return headers


# --- The proofs ---------------------------------------------------------------------------------------------------


def verify_finality(trust, proof):
    names = ['type', 'header', 'finalization', 'message', 'index', 'path']
    has_trie = 'trie' in proof
    fields(proof, names + (['trie'] if has_trie else []))
    index, path = integer_of(proof['index']), path_of(proof['path'])
    message = decode_message(base64_of(proof['message']), trust.limits)
    header = read_header(trust, proof['header'])
    holds = range_holds(header['sequenceRoot'], [message['id']], index, header['messageCount'], path)
    demand(holds, 'not-in-sequence')
    finality = read_finality(trust, proof['finalization'], header)
    proven = {
        'id': message['id'].hex(), 'index': index, 'height': header['height'], 'time': header['time'],
        'signers': finality['signers'], 'power': finality['power'],
    }  # fmt: skip
    if has_trie:
        demand(isinstance(proof['trie'], dict) and proof['trie'].get('type') == 'diseq/1/trie-proof', 'malformed')
        trie = verify_trie(trust, proof['trie'])
        demand(trie['key'] == key_of(message['data']).hex(), 'other-key')
        demand(trie['data'] is not None, 'not-in-trie')
        proven['trieHeight'], proven['trieStateHeight'] = trie['height'], trie['stateHeight']
    return proven


def verify_namespace(trust, proof):
    _, namespace, headers, finalization, blocks = fields(
        proof, ['type', 'namespace', 'headers', 'finalization', 'blocks']
    )
    namespace_of(namespace)
    headers = read_headers(trust, headers)
    demand(len(list_of(blocks, 10_000)) == len(headers), 'malformed', 'not a content for each header')
    shown = []
    for header, content in zip(headers, blocks):
        if isinstance(content, dict) and 'messages' in content:
            shown.append(read_present(trust, header, namespace, content))
        else:
            demand_absent(header, namespace, content)
            shown.append([])
    read_finality(trust, finalization, headers[-1])
    return {'from': headers[0]['height'], 'to': headers[-1]['height'], 'messages': shown}


def read_present(trust, header, namespace, content):
    position, messages, path = fields(content, ['position', 'messages', 'path'])
    integer_of(position)
    path = path_of(path)
    demand(list_of(messages, header['messageCount']), 'malformed', 'no messages')
    before, pairs = -1, []
    for each in messages:
        index, data = fields(each, ['index', 'message'])
        demand(integer_of(index) > before, 'out-of-order')
        before = index
        message = decode_message(base64_of(data), trust.limits)
        demand(message['namespace'] == namespace, 'other-namespace')
        pairs.append((index, message['id']))
    root = tree_root([struct.pack('>I', index) + message_id for index, message_id in pairs])
    leaf = text_bytes(namespace) + struct.pack('>I', len(pairs)) + root
    holds = range_holds(header['namespacesRoot'], [leaf], position, header['namespaceCount'], path)
    demand(holds, 'not-in-namespaces')
    return [[index, message_id.hex()] for index, message_id in pairs]


def demand_absent(header, namespace, content):
    position, neighbours, path = fields(content, ['position', 'neighbours', 'path'])
    integer_of(position)
    path = path_of(path)
    names, leaves = [], []
    for each in list_of(neighbours, 2):
        name, count, root = fields(each, ['namespace', 'count', 'root'])
        names.append(namespace_of(name).encode())
        leaves.append(text_bytes(name) + struct.pack('>I', integer_of(count)) + hex_of(root, 32))
    count, wanted = header['namespaceCount'], namespace.encode()
    before = 1 if position > 0 else 0
    after = 1 if position < count else 0
    demand(position <= count and len(names) == before + after, 'not-between')
    demand(all(name < wanted for name in names[:before]), 'not-between')
    demand(all(name > wanted for name in names[before:]), 'not-between')
    if count == 0:
        demand(not path, 'other-neighbours')
    else:
        demand(range_holds(header['namespacesRoot'], leaves, position - before, count, path), 'other-neighbours')


def verify_trie(trust, proof):
    _, header, finalization, key, nodes = fields(proof, ['type', 'header', 'finalization', 'key', 'proof'])
    key = hex_of(key, 32)
    header = read_header(trust, header)
    is_absence = isinstance(nodes, dict) and 'absent' in nodes
    reason = 'not-absent' if is_absence else 'not-in-trie'
    if is_absence:
        absent, bits, steps = fields(nodes, ['absent', 'key', 'nodes'])
        demand(absent is True, 'malformed')
        demand(byte_list(bits) == key_bits(key), reason, 'another key')
    else:
        (steps,) = fields(nodes, ['nodes'])
    end = walk(list_of(steps, 257), header['stateRoot'], key, reason, is_absence)
    if is_absence:
        demand(end is None or end[0] != key, reason, 'the key is there')
    else:
        demand(end is not None and end[0] == key, reason, 'it ends elsewhere')
    read_finality(trust, finalization, header)
    data = None if is_absence else end[1].hex()
    return {'key': key.hex(), 'data': data, 'height': header['height'], 'stateHeight': header['stateHeight']}


def length(size):
    return struct.pack('<Q', size)


def key_bits(key):
    return bytes((key[at // 8] >> (7 - at % 8)) & 1 for at in range(256))


def key_of(data):
    return H(b'\0' + length(0) + b'\0\1' + length(len(data)) + data)


def byte_list(value):
    is_bytes = isinstance(value, list) and all(is_integer(each, 255) for each in value)
    demand(is_bytes, 'malformed', 'no list of bytes')
    return bytes(value)


def child_bytes(child):
    return b'\0' if child is None else b'\1' + length(32) + child


def walk(steps, state_root, key, reason, is_absence):
    """Where the key's bits lead: (key, data) of a leaf, or None for an empty side."""
    read = [read_step(step) for step in steps]
    demand(read, reason, 'no nodes')
    is_right, kind, node = read[0]
    demand(kind == 'Root' and not is_right, reason, 'the first is no root')
    if is_absence and state_root == bytes(32):
        demand(len(read) == 1 and node == {'hash': None, 'left': None, 'right': None}, reason)
        return None
    left, right = child_of(node['left'], reason), child_of(node['right'], reason)
    demand(left is not None or right is not None, reason)
    check_hash(node, b'\0' + child_bytes(left) + child_bytes(right), state_root, reason)
    bits, chosen, bit = key_bits(key), [0], 0
    wanted = right if bits[0] else left
    if len(read) == 1:
        demand(wanted is None, reason, 'the side is not empty')
        return None
    for is_right, kind, node in read[1:-1]:
        demand(kind == 'Branch' and wanted is not None and is_right == bool(bits[bit]), reason)
        left, right = child_of(node['left'], reason), child_of(node['right'], reason)
        demand(len(node['key']) == 1 and left is not None and right is not None, reason)
        demand(node['key'][0] > bit, reason, 'bits do not increase')
        branch = length(1) + node['key'] + b'\0' + child_bytes(left) + child_bytes(right)
        check_hash(node, branch, wanted, reason)
        bit = node['key'][0]
        chosen.append(bit)
        wanted = right if bits[bit] else left
    is_right, kind, node = read[-1]
    demand(kind == 'Leaf' and wanted is not None and is_right == bool(bits[bit]), reason)
    demand(node['prefix'] is None and node['data'] is not None and len(node['key']) == 256, reason)
    leaf_bits, data = node['key'], node['data']
    demand(all(each <= 1 for each in leaf_bits), reason)
    leaf = b'\0' + length(256) + leaf_bits + b'\0\1' + length(len(data)) + data
    check_hash(node, leaf, wanted, reason)
    demand(all(leaf_bits[at] == bits[at] for at in chosen), reason, 'the leaf is off its path')
    demand(key_bits(key_of(data)) == leaf_bits, reason, "the leaf's key is not of its data")
    return key_of(data), data


NODE_FIELDS = {
    'Root': ['hash', 'left', 'right'],
    'Branch': ['key', 'hash', 'left', 'right'],
    'Leaf': ['prefix', 'key', 'hash', 'data'],
}


def read_step(step):
    demand(isinstance(step, list) and len(step) == 2 and isinstance(step[0], bool), 'malformed')
    is_node = isinstance(step[1], dict) and len(step[1]) == 1 and next(iter(step[1])) in NODE_FIELDS
    demand(is_node, 'malformed', 'no node')
    ((kind, content),) = step[1].items()
    fields(content, NODE_FIELDS[kind])
    demand(content.get('key', []) is not None, 'malformed')
    node = {name: None if value is None else byte_list(value) for name, value in content.items()}
    return step[0], kind, node


def child_of(child, reason):
    demand(child is None or len(child) == 32, reason, 'a child of another size')
    return child


def check_hash(node, data, wanted, reason):
    demand(H(data) == wanted, reason, 'another hash')
    demand(node['hash'] == wanted, reason, 'its hash field is not its hash')


def verify_header_chain(trust, proof):
    _, headers, finalization = fields(proof, ['type', 'headers', 'finalization'])
    headers = read_headers(trust, headers)
    read_finality(trust, finalization, headers[-1])
    return {'from': headers[0]['height'], 'to': headers[-1]['height'], 'id': headers[-1]['id'].hex()}


def verify_receipt(trust, proof):
    _, node, time, height, ids, signature = fields(
        proof, ['type', 'node', 'time', 'finalHeight', 'ids', 'signature']
    )
    key, signature = hex_of(node, 32), hex_of(signature, 64)
    data = struct.pack('>QQ', integer_of(time, MAX_INTEGER), integer_of(height, MAX_INTEGER))
    data += struct.pack('>I', len(list_of(ids, 100_000))) + b''.join(hex_of(each, 32) for each in ids)
    demand(key_point(key) is not None, 'bad-node-key')
    demand(signature_holds(key, trust.signed('receipt', data), signature), 'bad-signature')
    owners = [index for index, each in enumerate(trust.validators) if each['nodeKey'] == node]
    return {'node': node, 'ids': ids, 'validator': owners[0] if owners else None}


def verify_fork(trust, proof):
    _, *both = fields(proof, ['type', 'first', 'second'])
    found = []
    for each in both:
        header, finalization = fields(each, ['header', 'finalization'])
        header = read_header(trust, header)
        found.append((header, read_finality(trust, finalization, header)['signers']))
    (first, first_signers), (second, second_signers) = found
    demand(first['height'] == second['height'], 'two-heights')
    demand(first['id'] != second['id'], 'same-block')
    signers = [each for each in first_signers if each in second_signers]
    return {'height': first['height'], 'signersOfBoth': signers}


SIGNED_KINDS = [None, 'pool-commitment', 'notarize', 'nullify', 'finalize', 'proposal']


def decode_statement(data):
    reader = Reader(data, 'bad-evidence')
    tag, height = reader.number(1), reader.number(8)
    demand(1 <= tag <= 5, 'bad-evidence')
    if tag == 1:
        time, before = reader.number(8), b''
        count = reader.number(4)
        demand(count <= 26_214, 'bad-evidence')
        for _ in range(count):
            batch_id = reader.raw(32)
            demand(batch_id > before and reader.number(8) <= time, 'bad-evidence', 'entries')
            before = batch_id
        statement = (tag, height, None, None)
    else:
        statement = (tag, height, reader.number(4), None if tag == 3 else reader.raw(32))
    reader.end()
    return statement


def verify_evidence(trust, proof):
    _, encoded = fields(proof, ['type', 'evidence'])
    reader = Reader(base64_of(encoded), 'bad-evidence')
    validator, parts = reader.number(2), []
    for _ in range(2):
        kind = reader.number(1)
        data = reader.raw(reader.number(4))
        parts.append((kind, data, reader.raw(64)))
    reader.end()
    (first_kind, first, _), (second_kind, second, _) = parts
    demand(first < second, 'bad-evidence', 'not ascending')
    a, b = decode_statement(first), decode_statement(second)
    demand(a[0] == first_kind and b[0] == second_kind, 'bad-evidence', 'not of its kind')
    demand(validator < len(trust.validators), 'unknown-validator')
    conflict = None
    if a[1] == b[1] and a[0] == b[0] == 1:
        conflict = 'pool-commitments'
    elif a[1:3] == b[1:3] and {a[0], b[0]} == {3, 4}:
        conflict = 'finalize-and-nullify'
    elif a[1:3] == b[1:3] and a[0] == b[0] and a[3] != b[3]:
        conflict = {2: 'notarizes', 4: 'finalizes', 5: 'proposals'}.get(a[0])
    demand(conflict is not None, 'bad-evidence', 'no contradiction')
    key = bytes.fromhex(trust.validators[validator]['votingKey'])
    for kind, data, signature in parts:
        message = trust.signed(SIGNED_KINDS[kind], data)
        demand(signature_holds(key, message, signature), 'bad-signature')
    return {'validator': validator, 'height': a[1], 'conflict': conflict}


VERIFIERS = {
    'diseq/1/finality-proof': verify_finality,
    'diseq/1/namespace-proof': verify_namespace,
    'diseq/1/trie-proof': verify_trie,
    'diseq/1/header-chain': verify_header_chain,
    'diseq/1/receipt': verify_receipt,
    'diseq/1/fork': verify_fork,
    'diseq/1/evidence': verify_evidence,
}


def verify(trust, text):
    proof = parse_json(text)
    demand(isinstance(proof, dict) and 'type' in proof, 'malformed', 'no type')
    verifier = VERIFIERS.get(proof['type']) if isinstance(proof['type'], str) else None
    demand(verifier is not None, 'other-type')
    return verifier(trust, proof)


def check_vectors(path):
    with open(path, encoding='utf-8') as file:
        content = json.load(file)
    trust = Trust(content['genesis'])
    wrong = [] if trust.hash.hex() == content['genesisHash'] else ['the genesis hash']
    renamed = 0
    for vector in content['vectors']:
        compact = json.dumps(vector['proof'], ensure_ascii=False, separators=(',', ':'))
        try:
            proven = verify(trust, vector.get('text', compact))
            if not vector['valid'] or proven != vector['proves']:
                wrong.append('%s: accepted, proving %s' % (vector['name'], proven))
        except Refused as refusal:
            if vector['valid']:
                wrong.append('%s: refused, %s' % (vector['name'], refusal.args))
            renamed += refusal.args[0] != vector.get('refusal')
    for each in wrong:
        print(each)
    print('%d vectors, %d wrong, %d refused by another name' % (len(content['vectors']), len(wrong), renamed))
    return 1 if wrong else 0


def check_signatures(path):
    with open(path, encoding='utf-8') as file:
        vectors = json.load(file)['vectors']
    wrong = 0
    for vector in vectors:
        key, message, signature = (bytes.fromhex(vector[name + 'Hex']) for name in ('publicKey', 'message', 'signature'))
        holds = len(key) == 32 and len(signature) == 64 and signature_holds(key, message, signature)
        if holds != vector['valid']:
            wrong += 1
            print('%s: %s' % (vector['name'], holds))
    print('%d signatures, %d wrong' % (len(vectors), wrong))
    return 1 if wrong else 0


def text_of(path):
    with open(path, 'rb') as file:
        data = file.read()
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Refused('malformed', 'not UTF-8') from None


def main(arguments):
    if len(arguments) == 2 and arguments[0] == '--vectors':
        return check_vectors(arguments[1])
    if len(arguments) == 2 and arguments[0] == '--signatures':
        return check_signatures(arguments[1])
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        genesis, proof = (text_of(path) for path in arguments)
        print(json.dumps(verify(Trust(parse_json(genesis)), proof)))
        return 0
    except Refused as refusal:
        print('refused: %s' % ': '.join(part for part in refusal.args if part), file=sys.stderr)
        return 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
