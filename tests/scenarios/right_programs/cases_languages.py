"""Requests in French, Spanish and German."""

from __future__ import annotations

from tests.scenarios.right_programs.cases_spaces import Case

IT = "it = emp[emp['dept'] == 'IT']\nit"

CASES = (
    # French.
    Case("classe les modèles par rmse, le meilleur d'abord", "models.sort_values('rmse')", "lab"),
    Case("le salaire typique (pas la moyenne)", "emp['salary'].median()", "office"),
    Case("maintenant compte simplement tous les employés", "len(emp)", "office", (IT,)),
    Case("qui est arrivé premier ?", "runs.loc[runs['place'] == 1, 'runner'].item()", "lab"),
    Case("la note de Léa était 16, corrige", "notes.loc[notes['élève'] == 'Léa', 'note'] = 16\nnotes", "world"),
    Case("moyenne par matière", "notes.groupby('matière')['note'].mean()", "world"),
    Case("combien d'élèves dans chaque matière", "notes['matière'].value_counts()", "world"),
    Case(
        "les prix sont désormais : apple 2, pear 1, plum 3, kiwi 1.5 ; le total ?",
        "prices = {'apple': 2, 'pear': 1, 'plum': 3, 'kiwi': 1.5}\nsum(prices.values())",
        "dicts",
    ),
    Case("commandes des deux premières semaines de janvier 2025", "orders[orders['date'] < '2025-01-15']", "shop"),
    Case("enregistre-le en csv, juste le texte", "notes.to_csv(index=False)", "world"),
    Case("la page la plus rapide", "visits.loc[visits['latency_ms'].idxmin(), 'page']", "shop"),
    Case("plus de la moitié des gens ont-ils plus de 35 ans ?", "bool((emp['age'] > 35).mean() > 0.5)", "office"),
    Case(
        "les plus récentes d'abord, une seule ligne par client",
        "orders.sort_values('date', ascending=False).drop_duplicates('user')",
        "shop",
    ),
    Case("montre-moi les élèves au-dessus de la moyenne", "notes[notes['note'] > notes['note'].mean()]", "world"),
    Case(
        "et par ville aussi",
        "emp.groupby(['dept', 'city'])['age'].mean()",
        "office",
        ("emp.groupby('dept')['age'].mean()",),
    ),
    # Spanish.
    Case("ordena los modelos por error, el mejor primero", "models.sort_values('rmse')", "lab"),
    Case("¿cuántas ventas hubo por zona?", "ventas.groupby('zona').size()", "world"),
    Case("¿qué mes vendió más?", "ventas.groupby('mes')['importe'].sum().idxmax()", "world"),
    Case("el norte está lejos; dame el total de todas las zonas", "ventas['importe'].sum()", "world"),
    Case("las ventas correctas son 6, 7, 8 y 5 en ese orden", "ventas['importe'] = [6, 7, 8, 5]\nventas", "world"),
    Case("no la media sino la mediana del importe", "ventas['importe'].median()", "world"),
    Case("ahora cuenta a todos, no solo a ellos", "emp.shape[0]", "office", (IT,)),
    Case("nombres en orden alfabético, por favor", "sorted(emp['name'])", "office"),
    Case("los dos corredores más rápidos", "runs.nsmallest(2, 'time')['runner'].tolist()", "lab"),
    Case(
        "¿cuánto se alejan de la media los importes, en promedio?",
        "(ventas['importe'] - ventas['importe'].mean()).abs().mean()",
        "world",
    ),
    Case(
        "un descuento del diez por ciento para todos los precios",
        "{k: round(v * 0.9, 2) for k, v in prices.items()}",
        "dicts",
    ),
    Case("¿quién se llama Max?", "emp[emp['name'] == 'Max']", "office"),
    Case("pon mes y zona como tabla cruzada", "ventas.pivot(index='mes', columns='zona', values='importe')", "world"),
    Case(
        "¿los demás ganan más que estos?",
        "bool(emp.drop(it.index)['salary'].mean() > it['salary'].mean())",
        "office",
        (IT,),
    ),
    Case(
        "días desde la contratación hasta hoy, digamos 1 de enero de 2025",
        "(pd.Timestamp('2025-01-01') - emp['hired']).dt.days",
        "office",
    ),
    # German.
    Case("Modelle nach rmse, das beste zuerst", "models.sort_values('rmse')", "lab"),
    Case("was kostet alles zusammen, Menge mal Preis", "(waren['Preis'] * waren['Menge']).sum()", "world"),
    Case("nur die Waren unter drei Euro", "waren[waren['Preis'] < 3]", "world"),
    Case("Käse kostet jetzt 5,20", "waren.loc[waren['Name'] == 'Käse', 'Preis'] = 5.20\nwaren", "world"),
    Case("die billigste Ware, bitte nur der Name", "waren.loc[waren['Preis'].idxmin(), 'Name']", "world"),
    Case("und jetzt alle, nicht nur die", "emp['age'].mean()", "office", (IT, "it['age'].mean()")),
    Case(
        "wie viele Tage ist jeder schon dabei (Stichtag 1.1.2025)?",
        "emp.assign(tage=(pd.Timestamp('2025-01-01') - emp['hired']).dt.days)[['name', 'tage']]",
        "office",
    ),
    Case("mittleres Gehalt, aber nicht der Durchschnitt", "emp['salary'].median()", "office"),
    Case("wer länger als zehn Jahre da ist (Stand Mitte 2025)", "emp[emp['hired'] < '2015-07-01']", "office"),
    Case("Menge war falsch: 35, 14, 9", "waren['Menge'] = [35, 14, 9]\nwaren", "world"),
    Case("jeden Preis mit Mehrwertsteuer von sieben Prozent", "waren['Preis'] * 1.07", "world"),
    Case("welche Zeit ist die schnellste", "runs['time'].min()", "lab"),
    Case(
        "Sprich: ein Satz darüber, wer der Jüngste ist",
        "f\"Am jüngsten ist {emp.loc[emp['age'].idxmin(), 'name']}.\"",
        "office",
    ),
    Case(
        "lies die Datei neu ein",
        "sales = pd.read_csv('sales.csv')\nsales",
        "world",
        ("sales = pd.read_csv('sales.csv').head(1)\nsales",),
    ),
    Case("aufsteigend nach Alter, die Ältesten also unten", "emp.sort_values('age')", "office"),
    # Portuguese.
    Case("quanto cada cliente já pagou?", "pedidos[pedidos['pago']].groupby('cliente')['valor'].sum()", "world"),
    Case("os pedidos do menor para o maior", "pedidos.sort_values('valor')", "world"),
    Case("a média não, quero o valor do meio", "pedidos['valor'].median()", "world"),
    Case("na verdade os valores são 31, 12 e 25", "pedidos['valor'] = [31.0, 12.0, 25.0]\npedidos", "world"),
    Case("Melhor pontuação do golfe", "golf['score'].min()", "lab"),
)
