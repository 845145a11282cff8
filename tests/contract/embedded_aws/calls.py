"""Draws calls of DynamoDB's API: mostly right ones, some that are refused, and nonsense."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

    Call = tuple[str, Any]

TABLE = "compared"
DEFINITION = {
    "TableName": TABLE,
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "owner")],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by_owner",
            "KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["a", "b"]},
        }
    ],
    "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
}
_NESTED = {"M": {"x": {"S": "x"}, "a": {"L": [{"N": "1"}, {"B": "AP8="}]}}}
# What the drawn paths lead to.
FIRST = [
    {
        "pk": {"S": "p"},
        "sk": {"S": sk},
        "owner": {"S": "x"},
        "n": {"N": "1"},
        "s": {"SS": ["x", "y"]},
        "a": _NESTED,
        "b": {"L": [{"S": "x"}, _NESTED]},
        "c": {"S": "思い出"},
    }
    for sk in "12"
]
_NAMES = {"#a": "a", "#b": "b", "#n": "n", "#s": "s"}
_VALUES: dict[str, Any] = {
    ":x": {"S": "x"},
    ":y": {"S": "思い出"},
    ":one": {"N": "1"},
    ":list": {"L": [{"S": "x"}, {"N": "2"}]},
    ":set": {"SS": ["x", "z"]},
}
_SCALARS: list[Any] = [
    *({"S": ""}, {"S": "x"}, {"S": "思い出"}, {"S": "x" * 40}, {"N": "0"}, {"N": "1"}, {"N": "-2.5"}, {"N": "1e3"}),
    *({"BOOL": True}, {"BOOL": False}, {"NULL": True}, {"B": "AP8="}, {"SS": ["x", "y"]}, {"NS": ["1", "2"]}),
]
_WRONG = [{"N": "seven"}, {"SS": []}, {"BS": ["AP8=", "AA=="]}, {"S": 7}, {"NULL": False}, {}, None, 7]
_WRONG_KEYS = [{}, {"pk": {"S": "p"}}, {"pk": {"S": ""}, "sk": {"S": "1"}}, {"pk": {"N": "1"}, "z": {"S": "1"}}]
_ACTIONS = {
    "SET": [
        "{path} = {value}",
        "{path} = if_not_exists({path}, {value})",
        "{path} = if_not_exists(#n, :one) + :one",
        "{path} = #n - :one",
        "{path} = list_append(#b, :list)",
        "{path} = {other}",
    ],
    "REMOVE": ["{path}"],
    "ADD": ["#n :one", "#s :set", "{path} {value}"],
    "DELETE": ["#s :set", "{path} {value}"],
}
_KEY = {"pk": {"S": "p"}, "sk": {"S": "1"}}
_NONSENSE: list[Call] = [
    ("GetItem", b""),
    ("GetItem", b"{"),
    ("GetItem", b"[]"),
    ("PutItem", {"TableName": TABLE}),
    ("PutItem", {"TableName": TABLE, "Item": 7}),
    ("PutItem", {"TableName": "missing", "Item": _KEY}),
    ("Query", {"TableName": TABLE, "KeyConditionExpression": "pk", "Limit": "many"}),
    ("UpdateItem", {"TableName": TABLE, "Key": _KEY, "UpdateExpression": " "}),
    ("UpdateItem", {"TableName": TABLE, "Key": _KEY, "UpdateExpression": "SET a"}),
    ("TransactWriteItems", {"TransactItems": []}),
    ("NoSuchOperation", {}),
]


class Drawn:
    """Calls, by what a generator of random numbers says."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._choice = random.choice

    def call(self) -> Call:
        if self._seldom(40):
            return self._choice(_NONSENSE)
        return self._choice([self._write, self._write, self._transaction, self._page, self._read, self._batch])()

    def _seldom(self, times: int) -> bool:
        return self._random.random() < 1 / times

    def _value(self, depth: int = 2) -> Any:
        if self._seldom(60):
            return self._choice(_WRONG)
        if depth and self._seldom(4):
            inner = [self._value(depth - 1) for _ in range(self._random.randrange(3))]
            return {"L": inner} if self._seldom(2) else {"M": dict(zip("xa", inner, strict=False))}
        return self._choice(_SCALARS)

    def _key(self) -> Any:
        return self._choice(_WRONG_KEYS) if self._seldom(50) else {"pk": {"S": "p"}, "sk": {"S": self._choice("123")}}

    def _item(self) -> Any:
        owner = {} if self._seldom(2) else {"owner": {"S": "x"}}
        return {**{name: self._value() for name in "abcns" if self._seldom(2)}, **owner, **self._key()}

    def _path(self) -> str:
        usual = ["#a", "#b", "#n", "#s", "a", "c"] * 4 + ["d", "#a.x", "a.a[0]", "b[0]", "#b[1].x", "#b[1].a[1]"]
        return self._choice(["size", "pk", "#undefined", "a..b", "9", "d.x"] if self._seldom(40) else usual)

    def _operand(self) -> str:
        return ":undefined" if self._seldom(60) else self._choice(sorted(_VALUES))

    def _condition(self, depth: int = 2) -> str:
        if depth and self._seldom(2):
            left, right = self._condition(depth - 1), self._condition(depth - 1)
            wrong = [f"(({left}))", f"{left} AND", f"{left} {right}", f"{left} & {right}"]
            usual = [f"{left} AND {right}", f"{left} OR ({right})", f"NOT ({left})", f"({left}) OR {right}"]
            return self._choice(wrong if self._seldom(40) else usual)
        path, operand = self._path(), self._operand()
        forms = [
            "attribute_exists({path})",
            "attribute_not_exists({path})",
            "{path} = {operand}",
            "{path} <> {operand}",
        ]
        forms += ["#n {sign} :one", "#n BETWEEN :one AND :one", "c IN ({operand}, :y)", "begins_with({path}, :x)"]
        forms += ["contains({path}, {operand})", "#n = {path}", "pk > :x", "attribute_type({path}, :x)"]
        if self._seldom(10):
            forms = ["size({path}) {sign} :one", "{path} {sign} {operand}", "{path} BETWEEN :one AND {operand}"]
        sign = self._choice(["=", "<>", "<", "<=", ">="])
        return self._choice(forms).format(path=path, operand=operand, sign=sign)

    def _update(self) -> str:
        nested = ["#a.x", "b[0]", "#b[1].x"] if self._seldom(4) else []
        paths = self._random.sample(["#a", "#b", "c", "d", "e", "f", "g", "h", *nested], 8)
        if self._seldom(10):
            paths = [self._path() for _ in paths]  # some may be there twice
        clauses = []
        kinds = ["SET", "SET", "SET", "ADD", "REMOVE", "DELETE"]
        for clause in dict.fromkeys(self._random.sample(kinds, 2)) if not self._seldom(20) else kinds[1:4]:
            actions = [
                self._choice(_ACTIONS[clause]).format(path=paths.pop(), other=self._path(), value=self._operand())
                for _ in range(self._random.randint(1, 2))
            ]
            clauses.append(f"{clause} {', '.join(actions)}")
        return " ".join(clauses)

    def _used(self, *texts: str, own: dict[str, Any] | None = None) -> dict[str, Any]:
        """The names and values that texts use; sometimes one too many, one too few or another one."""
        text = " ".join(texts)
        names = {name: value for name, value in _NAMES.items() if name in text}
        values = {name: value for name, value in _VALUES.items() if name in text}
        match self._random.randrange(60):
            case 0:
                names["#more"] = "more"
            case 1:
                values[":more"] = {"S": "more"}
            case 2 if values:
                values.popitem()
            case 3 | 4 | 5 | 6 if values:
                values[self._choice(sorted(values))] = self._value()
        values |= own or {}
        return {
            **({"ExpressionAttributeNames": names} if names else {}),
            **({"ExpressionAttributeValues": values} if values else {}),
        }

    def _part(self, *kinds: str) -> tuple[str, dict[str, Any]]:
        """One write, as a call has it or a transaction."""
        kind = self._choice(kinds)
        body: dict[str, Any] = {"TableName": TABLE}
        texts = []
        if kind == "Put":
            body["Item"] = self._item()
        else:
            body["Key"] = self._key()
        if kind == "Update":
            body["UpdateExpression"] = self._update()
            texts.append(body["UpdateExpression"])
        if kind == "ConditionCheck" or self._seldom(3):
            body["ConditionExpression"] = self._condition()
            texts.append(body["ConditionExpression"])
            if self._seldom(2):
                body["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        return kind, body | self._used(*texts)

    def _write(self) -> Call:
        kind, body = self._part("Put", "Update", "Update", "Delete")
        returned = [None, "NONE", "ALL_OLD", *["ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"] * (kind == "Update")]
        consumed = self._choice([None, "TOTAL"])
        return f"{kind}Item", body | {
            "ReturnValues": self._choice(returned),
            "ReturnConsumedCapacity": consumed,
            "x": 1,
        }

    def _transaction(self) -> Call:
        parts = [self._part("Put", "Update", "Delete", "ConditionCheck") for _ in range(self._random.randint(1, 3))]
        return "TransactWriteItems", {"TransactItems": [{kind: body} for kind, body in parts]}

    def _page(self) -> Call:
        body: dict[str, Any] = {"TableName": TABLE, "Limit": self._choice([None, None, 1, 2])}
        texts = []
        if self._seldom(2):
            body["FilterExpression"] = self._condition(1)
            texts.append(body["FilterExpression"])
        if self._seldom(2):
            body["ProjectionExpression"] = self._choice(["sk", "a, b", "#a, sk", "a.x", "b[0]", "a, a", ""])
            texts.append(body["ProjectionExpression"])
        if self._seldom(4):
            return "Scan", body | self._used(*texts)
        key, value = self._choice([("pk", "p"), ("owner", "x")])
        own = {":key": {"S": value}, ":first": {"S": "1"}, ":last": {"S": "2"}}
        ranges = [" AND sk <= :last", " AND begins_with(sk, :last)", " AND sk BETWEEN :first AND :last", ""]
        if key == "owner":
            body["IndexName"] = "by_owner"
        elif self._seldom(3):
            body["ExclusiveStartKey"] = self._key()
        body["KeyConditionExpression"] = f"{key} = :key{self._choice(ranges)}"
        body["ScanIndexForward"] = self._choice([True, False])
        return "Query", body | self._used(*texts, own=own)

    def _read(self) -> Call:
        if self._seldom(2):
            projection = self._choice([None, None, None, "a", "a.x, sk", "b[1].x", ""])
            return "GetItem", {"TableName": TABLE, "Key": self._key(), "ProjectionExpression": projection}
        return "TransactGetItems", {"TransactItems": [{"Get": {"TableName": TABLE, "Key": self._key()}} for _ in "12"]}

    def _batch(self) -> Call:
        if self._seldom(2):
            keys = [self._key() for _ in range(self._random.randint(1, 2))]
            return "BatchGetItem", {"RequestItems": {TABLE: {"Keys": keys, "ConsistentRead": True}}}
        requests = [{"PutRequest": {"Item": self._item()}}, {"DeleteRequest": {"Key": self._key()}}]
        return "BatchWriteItem", {"RequestItems": {TABLE: requests}}
