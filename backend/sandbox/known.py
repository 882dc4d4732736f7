"""Well-known genes with their real names, so that examples look real."""

from typing import NamedTuple


class KnownGene(NamedTuple):
    """The data of a gene without its position in the catalogue."""

    symbol: str
    hgnc_id: str
    entrez_id: str
    ensembl_id: str
    location: str
    name: str
    aliases: tuple[str, ...]
    previous: tuple[str, ...]


# symbol, HGNC, Entrez, Ensembl, location, name, aliases, previous symbols. Neighbours on a
# chromosome are adjacent: some variants span them. CAP2 is approved and also an alias of two
# others.
_TABLE = """
PKD1;9008;5310;8710;16p13.3;polycystin 1, transient receptor potential channel interacting;PBP,Pc-1;
TSC2;12363;7249;103197;16p13.3;TSC complex subunit 2;tuberin,LAM;TSC4
PKD2;9009;5311;118762;4q22.1;polycystin 2, transient receptor potential cation channel;PC2,TRPP2;
PKHD1;9016;5314;170927;6p12.3-p12.2;PKHD1 ciliary IPT domain containing fibrocystin/polyductin;ARPKD;TIGM1
COL4A3;2204;1285;169031;2q36.3;collagen type IV alpha 3 chain;tumstatin;
COL4A4;2206;1286;81052;2q36.3;collagen type IV alpha 4 chain;CA44;
COL4A5;2207;1287;188153;Xq22.3;collagen type IV alpha 5 chain;CA54;ATS,ASLN
NPHS1;7908;4868;161270;19q13.12;NPHS1 adhesion molecule, nephrin;CNF,NPHN;
NPHS2;13394;7827;116218;1q25.2;NPHS2 stomatin family member, podocin;PDCN;SRN1
WT1;12796;7490;184937;11p13;WT1 transcription factor;WAGR,WIT-2,AWT1;GUD
UMOD;12559;7369;169344;16p12.3;uromodulin;THP,THGP,FJHN,ADMCKD2;HNFJ
HNF1B;11630;6928;275410;17q12;HNF1 homeobox B;LFB3,VHNF1,MODY5;TCF2
PAX2;8616;5076;75891;10q24.31;paired box 2;PAPRS;
TTN;12403;7273;155657;2q31.2;titin;CMPD4,FLJ32040,MPRM;CMD1G
TSC1;12362;7248;165699;9q34.13;TSC complex subunit 1;KIAA0243,LAM,hamartin;TSC
VHL;12687;7428;134086;3p25.3;von Hippel-Lindau tumor suppressor;VHL1;
GLA;4296;2717;102393;Xq22.1;galactosidase alpha;GALA;
CTNS;2518;1497;40531;17p13.2;cystinosin, lysosomal cystine transporter;CTNS-LSB,PQLC4;
OCRL;8108;4952;122126;Xq26.1;OCRL inositol polyphosphate-5-phosphatase;OCRL1;
CLCN5;2023;1184;171365;Xp11.23;chloride voltage-gated channel 5;CLC5,DENTS;NPHL2,NPHL1
SLC12A3;10912;6559;70915;16q13;solute carrier family 12 member 3;NCCT,NCC;
SLC12A1;10910;6557;74803;15q21.1;solute carrier family 12 member 1;NKCC2;
KCNJ1;6255;3758;151704;11q24.3;potassium inwardly rectifying channel subfamily J member 1;Kir1.1,ROMK1;
CLCNKA;2026;1187;186510;1p36.13;chloride voltage-gated channel Ka;hClC-Ka,ClC-K1;
CLCNKB;2027;1188;184908;1p36.13;chloride voltage-gated channel Kb;hClC-Kb;
BSND;16512;7809;162399;1p32.3;barttin CLCNK type accessory subunit beta;BART;DFNB73
AQP2;634;359;167580;12q13.12;aquaporin 2;AQP-CD;
AVPR2;897;554;126895;Xq28;arginine vasopressin receptor 2;V2R,NDI;DIR3,DIR
SCNN1A;10599;6337;111319;12p13.31;sodium channel epithelial 1 subunit alpha;ENaCalpha;SCNN1
SCNN1B;10600;6338;168447;16p12.2;sodium channel epithelial 1 subunit beta;ENaCbeta;
SCNN1G;10602;6340;166828;16p12.2;sodium channel epithelial 1 subunit gamma;ENaCgamma,SCNEG;
WNK1;14540;65125;60237;12p13.33;WNK lysine deficient protein kinase 1;PHA2C,KDP;PRKWNK1,HSAN2
WNK4;14544;65266;126562;17q21.2;WNK lysine deficient protein kinase 4;PHA2B;PRKWNK4
KLHL3;6354;26249;146021;5q31.2;kelch like family member 3;KIAA1129;
CUL3;2553;8452;36257;2q36.2;cullin 3;KIAA0617;
AGXT;341;189;172482;2q37.3;alanine--glyoxylate aminotransferase;AGT1,PH1,SPAT;SPT
GRHPR;4570;9380;137106;9p13.2;glyoxylate and hydroxypyruvate reductase;PH2;GLXR
HOGA1;25155;112817;241935;10q24.2;4-hydroxy-2-oxoglutarate aldolase 1;FLJ37472,DHDPSL,HP3;C10orf65
INF2;23791;64423;203485;14q32.33;inverted formin 2;MGC13251;C14orf151,C14orf173
TRPC6;12338;7225;137672;11q22.1;transient receptor potential cation channel subfamily C member 6;TRP6;FSGS2
ACTN4;166;81;130402;19q13.2;actinin alpha 4;;FSGS1
APOL1;618;8542;100342;22q12.3;apolipoprotein L1;FSGS4;APOL
LMX1B;6654;4010;136944;9q33.3;LIM homeobox transcription factor 1 beta;;NPS1
PLCE1;17175;51196;138193;10q23.33;phospholipase C epsilon 1;KIAA1516,PLCE,NPHS3;
CFH;4883;3075;971;1q31.3;complement factor H;HUS,FHL1,ARMD4;HF1,HF2,HF
C3;1318;718;125730;19p13.3;complement C3;CPAMD1,ARMD9;
MUC1;7508;4582;185499;1q22;mucin 1, cell surface associated;CD227,PEM;PUM,MCKD1
REN;9958;5972;143839;1q32.1;renin;;
NPHP1;7905;4867;144061;2q13;nephrocystin 1;JBTS4,SLSN1;NPH1
CASR;1514;846;36828;3q13.33-q21.1;calcium sensing receptor;GPRC2A,FHH;HHC,HHC1
CFTR;1884;1080;1626;7q31.2;CF transmembrane conductance regulator;MRP7,ABC35;CF,ABCC7
FLCN;27310;201163;154803;17p11.2;folliculin;BHD,MGC17998;
FH;3700;2271;91483;1q43;fumarate hydratase;fumarase;
SLC4A1;11027;6521;4939;17q21.31;solute carrier family 4 member 1 (Diego blood group);CD233,FR,RTA1A;EPB3,AE1,DI,WD
CAP2;20039;10486;112186;6p22.3;cyclase associated actin cytoskeleton regulatory protein 2;;
SERPINB8;8952;5271;166401;18q22.1;serpin family B member 8;CAP2;PI8
TMPRSS4;11878;56649;137648;11q23.3;transmembrane serine protease 4;TMPRSS3,MT-SP2,CAP2;
"""  # noqa: E501 - one gene a line


def _row(line: str) -> KnownGene:
    symbol, hgnc, entrez, ensembl, location, name, aliases, previous = line.split(";")
    return KnownGene(
        symbol=symbol,
        hgnc_id=f"HGNC:{hgnc}",
        entrez_id=entrez,
        ensembl_id=f"ENSG{int(ensembl):011d}",
        location=location,
        name=name,
        aliases=tuple(filter(None, aliases.split(","))),
        previous=tuple(filter(None, previous.split(","))),
    )


KNOWN_GENES = tuple(_row(line) for line in _TABLE.strip().splitlines())
