"""Requests in Hindi, Chinese, Japanese, Arabic, Thai and Russian, and with emoji."""

from __future__ import annotations

from tests.scenarios.right_programs.cases_spaces import Case

IT = "it = emp[emp['dept'] == 'IT']\nit"

CASES = (
    # Hindi.
    Case("मॉडलों को rmse के हिसाब से लगाओ, सबसे अच्छा पहले", "models.sort_values('rmse')", "lab"),
    Case("हर दुकान की कुल राशि", "bikri.groupby('दुकान')['राशि'].sum()", "world"),
    Case("किस शहर में सबसे ज़्यादा बिक्री हुई?", "bikri.groupby('शहर')['राशि'].sum().idxmax()", "world"),
    Case("औसत नहीं, बीच वाला वेतन", "emp['salary'].median()", "office"),
    Case("अब बस सारे कर्मचारी गिनो", "len(emp)", "office", (IT,)),
    Case("राशि असल में 300, 350, 200 थी", "bikri['राशि'] = [300, 350, 200]\nbikri", "world"),
    Case("सबसे तेज़ धावक का नाम", "runs.loc[runs['time'].idxmin(), 'runner']", "lab"),
    Case("दो सौ से ऊपर की बिक्री दिखाओ", "bikri[bikri['राशि'] > 200]", "world"),
    Case("हर शहर में कितने लोग हैं", "emp['city'].value_counts()", "office"),
    Case("nums को 5, 10, 15, 20 कर दो और जोड़ बताओ", "nums = [5, 10, 15, 20]\nsum(nums)", "lists"),
    Case("सब को दस प्रतिशत ज़्यादा मिले तो?", "emp['salary'] * 1.1", "office"),
    Case(
        "नई तालिका sthiti बनाओ जिसमें शहर और औसत राशि हो",
        "sthiti = bikri.groupby('शहर', as_index=False)['राशि'].mean()\nsthiti",
        "world",
    ),
    Case("max नाम का आदमी कहाँ काम करता है", "emp.loc[emp['name'] == 'Max', 'city'].item()", "office"),
    Case("बाकी लोगों से इनकी तुलना करो", "emp.groupby(emp['dept'] == 'IT')['age'].mean()", "office", (IT,)),
    # Chinese.
    Case("按rmse给模型排名，最好的在前", "models.sort_values('rmse')", "lab"),
    Case("平均分是多少", "学生['分数'].mean()", "world"),
    Case("北京的学生有几个？", "int((学生['城市'] == '北京').sum())", "world"),
    Case("小刚的分数应该是75", "学生.loc[学生['姓名'] == '小刚', '分数'] = 75\n学生", "world"),
    Case("每个城市最高分的人", "学生.loc[学生.groupby('城市')['分数'].idxmax(), ['城市', '姓名']]", "world"),
    Case("现在数一下全部员工", "len(emp)", "office", (IT,)),
    Case("不要平均值，要中位数", "学生['分数'].median()", "world"),
    Case("哪个时间最快", "runs['time'].min()", "lab"),
    Case("把分数改成 90、91、80", "学生['分数'] = [90, 91, 80]\n学生", "world"),
    Case("超过两周的订单间隔有哪些", "gaps = orders['date'].diff()\ngaps[gaps > pd.Timedelta(days=14)]", "shop"),
    Case("存成csv文本给我看", "学生.to_csv(index=False)", "world"),
    Case("打八折后的价格", "{k: v * 0.8 for k, v in prices.items()}", "dicts"),
    Case("其余的人呢", "emp[emp['dept'] != 'IT']", "office", (IT,)),
    Case("按城市也分一下", "emp.groupby(['dept', 'city']).size()", "office", ("emp.groupby('dept').size()",)),
    Case(
        "重新读取文件",
        "sales = pd.read_csv('sales.csv')\nsales",
        "world",
        ("sales = pd.read_csv('sales.csv')[['item']]\nsales",),
    ),
    Case("最新的排最前，每个用户留一行", "visits.sort_values('at', ascending=False).drop_duplicates('user')", "shop"),
    Case("画张图看看年龄分布", "import matplotlib.pyplot as plt\nemp['age'].plot.hist()\nplt.show()", "office"),
    # Japanese.
    Case("料金の安い順に並べて", "dict(sorted(料金.items(), key=lambda kv: kv[1]))", "world"),
    Case("夕食が1800円になったら合計はいくら？", "料金['夕食'] = 1800\nsum(料金.values())", "world"),
    Case("一番速いランナーは誰", "runs.loc[runs['time'].idxmin(), 'runner']", "lab"),
    Case("平均ではなく真ん中の給料", "emp['salary'].median()", "office"),
    Case("やっぱり全員で", "emp['salary'].mean()", "office", (IT, "it['salary'].mean()")),
    # Arabic.
    Case("من حصل على أعلى علامة؟", "max(marks, key=marks.get)", "world"),
    Case(
        "العلامات الصحيحة: سارة 95، علي 80، منى 88، عمر 70. ما المتوسط؟",
        "marks = {'سارة': 95, 'علي': 80, 'منى': 88, 'عمر': 70}\nsum(marks.values()) / len(marks)",
        "world",
    ),
    Case("رتب النماذج حسب الخطأ، الأفضل أولا", "models.sort_values('rmse')", "lab"),
    Case("كم موظفا في كل مدينة", "emp.groupby('city').size()", "office"),
    # Thai.
    Case("เรียงชื่อผลไม้ตามความยาว สั้นสุดก่อน", "sorted(khanom, key=len)", "world"),
    Case("ใครวิ่งเร็วที่สุด", "runs.nsmallest(1, 'time')['runner'].item()", "lab"),
    Case("นับพนักงานทั้งหมด", "len(emp)", "office", (IT,)),
    # Russian.
    Case("что дешевле всего?", "min(цены, key=цены.get)", "world"),
    Case("модели по ошибке, лучшая сверху", "models.sort_values('rmse')", "lab"),
    Case("сыр теперь по 350, сколько за всё", "цены['сыр'] = 350\nsum(цены.values())", "world"),
    Case("обычная зарплата, но не среднее", "emp['salary'].median()", "office"),
    Case("а остальные?", "emp[~emp.index.isin(it.index)]", "office", (IT,)),
    # Emoji, and several languages in one sentence.
    Case("🏆 first please 🥇🥈🥉", "runs.sort_values('place').head(3)", "lab"),
    Case("🍎 and 🍐 together cost?", "prices['apple'] + prices['pear']", "dicts"),
    Case("emp में से top 2 salary, merci", "emp.nlargest(2, 'salary')", "office"),
    Case("给我 the slowest página", "visits.loc[visits['latency_ms'].idxmax(), 'page']", "shop"),
    Case("💸 > 5k", "emp[emp['salary'] > 5000]", "office"),
    Case("👵 → 👶", "emp.sort_values('age', ascending=False)", "office"),
)
