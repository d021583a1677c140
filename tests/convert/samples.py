"""Small files in each format, written for these tests."""

BUTANOL = """butan-2-ol
  by hand

  5  4  0  0  1  0  0  0  0  0999 V2000
    0.0000    0.0000    0.0000 C   0  0
    1.2990    0.7500    0.0000 C   0  0
    2.5981    0.0000    0.0000 C   0  0
    3.8971    0.7500    0.0000 C   0  0
    1.2990    2.2500    0.0000 O   0  0
  1  2  1  0
  2  3  1  0
  3  4  1  0
  2  5  1  1
M  END
>  <smell>
of wine

$$$$
"""
BENZENE = """benzene
  by hand

  6  6  0  0  0  0  0  0  0  0999 V2000
    1.0000    0.0000    0.0000 C   0  0
    0.5000    0.8660    0.0000 C   0  0
   -0.5000    0.8660    0.0000 C   0  0
   -1.0000    0.0000    0.0000 C   0  0
   -0.5000   -0.8660    0.0000 C   0  0
    0.5000   -0.8660    0.0000 C   0  0
  1  2  2  0
  2  3  1  0
  3  4  2  0
  4  5  1  0
  5  6  2  0
  6  1  1  0
M  END
$$$$
"""

MOLECULES = r"""
CCO
c1ccccc1O
C1=CC=CC=C1C#N
c1ccc(-c2ccccc2)cc1
[nH]1cccc1
c1ccc2[nH]ccc2c1
CC(=O)[O-].[Na+]
[NH4+].[Cl-]
[13CH3]C([2H])O
[H][H]
[H]C([H])([H])O
[CH2]C
[CH3:1][OH:2]
[O-][n+]1ccccc1
CN->[Zn]
*c1ccccc1
C%12CC%12
[se]1cccc1
N#[N+][O-]
C[C@H](N)C(=O)O
C[C@@H](O)[C@H](F)Cl
F/C=C/F
F/C=C\F
C/C=C/C=C\C(=O)O
C(/F)(\Cl)=C(/Br)I
O/N=C(/C)CC
C[C@H]1CC[C@@H](C)CC1
C[C@@H](O)[C@H](O)[C@@H](C)O
O[C@H]1[C@@H](O)[C@H](O)[C@@H](O)[C@H](O)[C@@H]1O
CC(C)CCC[C@@H](C)[C@H]1CC[C@H]2[C@@H]3CC=C4C[C@@H](O)CC[C@]4(C)[C@H]3CC[C@]12C
""".splitlines()[1:]

SENTENCES = """# sent_id = one
# text = I don't see it.
1\tI\tI\tPRON\t_\t_\t4\tnsubj\t_\t_
2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\t_
2\tdo\tdo\tAUX\t_\t_\t4\taux\t_\t_
3\tn't\tnot\tPART\t_\t_\t4\tadvmod\t_\t_
4\tsee\tsee\tVERB\t_\t_\t0\troot\t_\t_
4.1\tsaw\tsee\tVERB\t_\t_\t_\t_\t0:root\t_
5\tit\tit\tPRON\t_\t_\t4\tobj:lvc\t_\tSpaceAfter=No
6\t.\t.\tPUNCT\t_\t_\t4\tpunct\t_\t_

1\tWhat\twhat\tPRON\t_\t_\t0\troot\t_\tSpaceAfter=No
2\t?\t?\tPUNCT\t_\t_\t1\tpunct\t_\tSpaceAfter=No
"""

LOGICAL_FORMS = """\
A cat was seen by the dog .\t* dog ( x _ 6 ) ; cat ( x _ 1 ) AND \
see . theme ( x _ 3 , x _ 1 ) AND see . agent ( x _ 3 , x _ 6 )\ttest
The bird on a roof sang .\t* bird ( x _ 1 ) ; bird . nmod . on ( x _ 1 , x _ 4 ) AND \
roof ( x _ 4 ) AND sing . agent ( x _ 5 , x _ 1 )\ttest
Ann hoped that Bob wanted to swim .\thope . agent ( x _ 1 , Ann ) AND \
hope . ccomp ( x _ 1 , x _ 4 ) AND want . agent ( x _ 4 , Bob ) AND \
want . xcomp ( x _ 4 , x _ 6 ) AND swim . agent ( x _ 6 , Bob )\ttest
kick\tLAMBDA a . LAMBDA b . LAMBDA e . kick . agent ( e , b ) AND kick . theme ( e , a )\tprimitive
cup\tLAMBDA a . cup ( a )\tprimitive
Ann\tAnn\tprimitive
"""

QUESTIONS = """\
What did Ada bake ?\tbake . agent ( x _ 3 , Ada ) AND bake . theme ( x _ 3 , ? )\twh
Who baked the pie ?\t* pie ( x _ 3 ) ; bake . agent ( x _ 1 , ? ) AND \
bake . theme ( x _ 1 , x _ 3 )\twh
What did Ada pass to Max ?\tpass . agent ( x _ 3 , Ada ) AND pass . theme ( x _ 3 , ? ) AND \
pass . recipient ( x _ 3 , Max )\twh
Who did Ada pass the pie to ?\t* pie ( x _ 5 ) ; pass . agent ( x _ 3 , Ada ) AND \
pass . theme ( x _ 3 , x _ 5 ) AND pass . recipient ( x _ 3 , ? )\twh
Ada ate the pie that Max made .\t* pie ( x _ 3 ) ; eat . agent ( x _ 1 , Ada ) AND \
eat . theme ( x _ 1 , x _ 3 ) AND pie . nmod ( x _ 3 , x _ 6 ) AND \
make . agent ( x _ 6 , Max ) AND make . theme ( x _ 6 , x _ 3 )\trc
A man that sang saw a pie that Max passed Ada .\tman ( x _ 1 ) AND \
man . nmod ( x _ 1 , x _ 3 ) AND sing . agent ( x _ 3 , x _ 1 ) AND \
see . agent ( x _ 4 , x _ 1 ) AND see . theme ( x _ 4 , x _ 6 ) AND \
pie ( x _ 6 ) AND pie . nmod ( x _ 6 , x _ 9 ) AND pass . agent ( x _ 9 , Max ) AND \
pass . recipient ( x _ 9 , Ada ) AND pass . theme ( x _ 9 , x _ 6 )\trc
A man on a TV sang .\tman ( x _ 1 ) AND man . nmod . on ( x _ 1 , x _ 4 ) AND \
TV ( x _ 4 ) AND sing . agent ( x _ 5 , x _ 1 )\tpp
"""
"""As SLOG has them: what is asked for, relative clauses, a noun in capitals."""

SOURCE = '''\
"""Doc — ünïcode."""
from __future__ import annotations
import os.path as p, sys
from . import a as b

@decorate(1, *args, key=None, **more)
async def f(x: int, /, y=2, *rest, z, w=3.5, **kw) -> None:
    global g
    async with a as (b, [c, *d]), e:
        del b[1:2, ...], c.d
    for i, *j in k: pass
    else: continue_ = {**m, 1: u"x", None: b"y"}
    return lambda: (yield)

class C(B, metaclass=M):
    x: int = 1e999 + 2j - -3
    x += x if (n := not True) else f"{x!r:>{w}} {{}}"
    def g(self):
        """Método."""
        return [q async for q in r if q < 1 <= 2 is not None]

match v:
    case {"a": 1, **r} | [_, *_] | P(1, k=2) | None | (3 as t): ...
try: pass
except* E as e: raise X from e
'''

VARIABLE_FREE = """\
A goat painted the fence .\tpaint ( agent = goat , theme = * fence )\tactive
The fence was painted by a goat .\tpaint ( theme = * fence , agent = goat )\tpassive
Ada hoped that Max painted a fence .\thope ( agent = Ada , ccomp = paint ( agent = Max , \
theme = fence ) )\tclause
The goat wanted to sing .\twant ( agent = * goat , xcomp = sing ( agent = * goat ) )\tcontrol
Max passed the goat on a boat in the lake to Ada .\tpass ( agent = Max , theme = * goat ( \
nmod . on = boat ( nmod . in = * lake ) ) , recipient = Ada )\tphrase
Ada passed a goat the boat that Max painted .\tpass ( agent = Ada , recipient = goat , \
theme = * boat ( nmod = paint ( agent = Max , theme = * boat ) ) )\trelative
Max saw a goat that Ada passed the boat to .\tsee ( agent = Max , theme = goat ( nmod = pass ( \
agent = Ada , theme = * boat , recipient = goat ) ) )\trelative
Ada liked the goat that was passed a fence by Max .\tlike ( agent = Ada , theme = * goat ( \
nmod = pass ( recipient = * goat , theme = fence , agent = Max ) ) )\trelative
The goat that the cat that Ada liked saw sang .\tsing ( agent = * goat ( nmod = see ( \
agent = * cat ( nmod = like ( agent = Ada , theme = * cat ) ) , theme = * goat ) ) )\tembedded
the boat that Max painted\t* boat ( nmod = paint ( agent = Max , theme = * boat ) )\tnoun
a goat in the lake\tgoat ( nmod . in = * lake )\tnoun
Who painted the boat ?\tpaint ( agent = ? , theme = * boat )\tquestion
What did Ada pass to Max ?\tpass ( agent = Ada , theme = ? , recipient = Max )\tquestion
What was painted ?\tpaint ( theme = ? )\tquestion
Ada liked that Max liked Ada .\tlike ( agent = Ada , ccomp = like ( agent = Max , \
theme = Ada ) )\ttwice
goat\tgoat\tword
Max\tMax\tword
paint\tpaint\tword
"""
"""As SLOG has them without variables: invented sentences of every construction."""
