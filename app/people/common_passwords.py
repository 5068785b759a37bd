"""What everybody tries first: the commonest passwords, French and English.

Kept as base words: `passwords` also refuses them repeated or with figures around them,
because none of them is twelve characters long by itself.
"""

from __future__ import annotations

_WORDS = """
password passwort passw0rd p@ssword p@ssw0rd pass motdepasse mot2passe mdp changeme changezmoi
secret letmein welcome bienvenue bonjour bonsoir coucou salut hello admin administrator
administrateur root user utilisateur guest invite login default test testing temp demo master
qwerty qwertyuiop qwertz qwertzuiop azerty azertyuiop azertyuiopqsdfghjklm qsdfghjklm wxcvbn
asdfgh asdfghjkl asdf zxcvbn zxcvbnm qazwsx qazwsxedc 1q2w3e 1q2w3e4r 1q2w3e4r5t 1qaz2wsx
1qaz2wsx3edc q1w2e3r4 a1z2e3r4 a1z2e3r4t5 zaq12wsx abc abc123 abcd abcd1234 abcdef abcdefgh
abcdefghijkl a1b2c3d4 aze aaa aqwzsx aqwzsxedc 123 1234 12345 123456 1234567 12345678 123456789
1234567890 12345678910 123456789012 0123456789 012345678910 0987654321 987654321 87654321 654321
54321 111222333444 112233 112233445566 121212 123123 123321 131313 147258369 159357 159753 1010
102030 102030405060 192837465 2000 2580 420 666 69 777 007 loveyou iloveyou jetaime
jetaimemoncoeur amour amourdemavie monamour moncoeur coeur cherie chouchou doudou loulou loulou13
nounours princesse princess prince poupette bebe bichette minou minouche chaton caramel chocolat
cookie nutella vanille soleil sunshine lune etoile ange angel fleur rose papillon liberte bonheur
espoir vacances famille maman papa mamanpapa papamaman enfants monbebe marie nicolas camille
thomas julien sophie celine isabelle alexandre sebastien francois nathalie valentin mathilde
charlotte antoine pauline benjamin guillaume maxime laura jerome julie daniel michael michelle
jordan jennifer jessica ashley andrew charlie thomas1 robert football foot basket rugby marseille
allezlom om13 olympique lyon paris parispsg psg bordeaux toulouse bretagne france zidane ronaldo
liverpool chelsea arsenal barcelona baseball hockey soccer dragon monkey shadow tigger tigre tiger
lion loup wolf panthere pantera cheval licorne snoopy pikachu pokemon naruto mario zelda starwars
superman batman spiderman matrix harrypotter mustang ferrari porsche mercedes corvette yamaha
harley ducati computer ordinateur internet google facebook samsung apple windows iphone linkedin
entreprise bureau travail company office summer winter spring autumn ete hiver printemps automne
lundi janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre january
february march april june july august september october november december freedom whatever
trustno1 ninja killer hunter ranger buster pepper ginger cheese banana freedom1 fuckyou merde
doudoune portevoix
"""

COMMON = frozenset(_WORDS.split())
