"""Data that exists once: what destroys it is found in every tool, and its daily neighbours are left alone."""

import pytest
from checking import of_shell, one, shell

RULE = "shell-destroy-data"

FOUND = [
    # files and folders
    "rm -rf /var/lib/postgresql/data",
    "rm -rf /var/lib/mysql/*",
    "rm -rf /data",
    "rm -rf /data/*",
    "rm -fr /backup/*",
    'rm -rf "/data/${TENANT}"',
    "cd /var/lib/mysql && rm -rf *",
    "rm -f /var/lib/mysql/ibdata1",
    "find /data -delete",
    "find /var/lib/mongodb -type f -delete",
    "find /data -type f -exec rm -f {} +",
    "find /data -type f -print0 | xargs -0 rm -f",
    "find / -name '*.db' | xargs rm -f",
    "ls -d /data/* | xargs rm -rf",
    "shred -u /data/customers.csv",
    "shred -n 3 -z /var/lib/app/app.db",
    "truncate -s 0 /var/lib/mysql/ibdata1",
    "truncate --size=0 /data/orders.db",
    "> /data/orders.db",
    ": > /var/lib/app/state.sqlite",
    "cat /dev/null > /var/lib/redis/dump.rdb",
    "cp /dev/null /data/orders.db",
    "userdel -r deploy",
    "crontab -r",
    "crontab -u app -r",
    "zfs destroy -r tank/data",
    # databases
    'psql -c "DROP TABLE users"',
    "psql -h db.default.svc -U app -d shop -c 'drop table if exists orders cascade'",
    'psql -c "DROP DATABASE shop;"',
    'mysql -u root -e "TRUNCATE TABLE orders"',
    'mysql -e "truncate orders"',
    'mysql --execute="DELETE FROM users"',
    'psql -c "delete from users;"',
    'psql -c "DELETE FROM users WHERE 1=1"',
    'psql -c "SELECT 1; DROP SCHEMA public CASCADE"',
    "psql <<EOF\nBEGIN;\nDROP TABLE users;\nCOMMIT;\nEOF\n",
    "psql <<< 'DROP TABLE users'",
    "echo 'DROP DATABASE shop;' | mysql -u root",
    "kubectl exec db-0 -- psql -U postgres -c 'DROP DATABASE shop'",
    "sqlite3 /data/app.db 'DROP TABLE users'",
    'psql -c "ALTER TABLE users DROP COLUMN email"',
    'T=users; psql -c "DROP TABLE $T"',
    'psql -c "TRUNCATE ${TABLE}"',
    "dropdb shop",
    "mysqladmin -u root drop shop",
    "mongosh shop --eval 'db.dropDatabase()'",
    "mongo shop --eval 'db.users.drop()'",
    "mongosh --eval 'db.users.deleteMany({})'",
    "redis-cli FLUSHALL",
    "redis-cli -h cache -n 2 flushdb",
    "echo flushall | redis-cli",
    "etcdctl del --prefix /registry",
    "ETCDCTL_API=3 etcdctl --endpoints=https://127.0.0.1:2379 del '' --prefix",
    "curl -X DELETE http://elasticsearch:9200/_all",
    "curl -XDELETE 'http://elasticsearch:9200/*'",
    "kafka-topics.sh --bootstrap-server kafka:9092 --delete --topic orders",
    # clusters, clouds, engines
    "kubectl delete ns shop",
    "kubectl delete namespace/shop",
    "kubectl -n shop delete pvc data-db-0",
    "kubectl delete pv --all",
    "kubectl delete crd certificates.cert-manager.io",
    "kubectl delete pods --all -n shop",
    "kubectl delete deploy --all -A",
    "kubectl delete all --all",
    "kubectl delete deploy,svc,pvc -l app=shop",
    "kubectl delete pods -A",
    "sudo kubectl --context prod delete namespace shop --force --grace-period=0",
    "kubectl get ns -o name | xargs kubectl delete ns",
    "helm uninstall shop",
    "helm -n shop delete shop",
    "terraform destroy -auto-approve",
    "terraform -chdir=infra destroy",
    "terraform apply -destroy",
    "aws s3 rm s3://shop-data --recursive",
    "aws s3 rb s3://shop-data --force",
    "aws rds delete-db-instance --db-instance-identifier shop --skip-final-snapshot",
    "aws --profile prod ec2 terminate-instances --instance-ids i-1",
    "gsutil -m rm -r gs://shop-data",
    "gcloud sql instances delete shop --quiet",
    "az group delete -n shop --yes",
    "docker system prune -a",
    "docker system prune -af --volumes",
    "docker volume prune -f",
    "docker compose down -v",
    "docker-compose -f app.yml down --volumes",
    "rclone purge remote:backups",
    "velero backup delete --all --confirm",
    "rsync -a --delete /tmp/empty/ /var/lib/postgresql/16/main/",
    "/bin/cat /dev/null > /var/lib/redis/dump.rdb",
]
NOT_FOUND = [
    "rm -rf /data/cache/tmp",
    "rm -rf /data/app/cache",
    'rm -rf "/data/${TENANT:?}"',
    "rm -f /var/lib/postgresql/data/postmaster.pid",
    "rm -rf /var/lib/mysql/tmp",
    "find /backup -name '*.tar.gz' -mtime +30 -delete",
    "find /data/cache -type f -delete",
    "find /data -type f | xargs ls -l",
    "find /tmp/app -type f | xargs rm -f",
    "find /data -name '*.tmp' -print0 | xargs -0 rm -f",
    "shred -u /tmp/key.pem",
    "shred -u key.pem",
    "truncate -s 0 /var/log/app/app.log",
    "truncate -s 1G /data/disk.img",
    "> /var/log/app/error.log",
    ": > /tmp/out",
    "pg_dump shop > /backup/shop.sql",
    "cp /data/orders.db /backup/orders.db",
    "userdel deploy",
    "crontab -l",
    "crontab /tmp/new-crontab",
    "zfs list",
    'psql -c "SELECT count(*) FROM users"',
    'psql -c "DELETE FROM sessions WHERE expires_at < now()"',
    'psql -c "DELETE FROM queue WHERE id = ${ID}"',
    'psql -c "DROP INDEX CONCURRENTLY idx_users_email"',
    'psql -c "DROP TABLE IF EXISTS tmp_import"',
    "psql -c \"INSERT INTO notes VALUES ('DROP TABLE users; DELETE FROM users')\"",
    'psql -c "SELECT * FROM pg_stat_activity -- DROP TABLE users"',
    "psql -c 'EXPLAIN DELETE FROM users'",
    "psql <<EOF\nVACUUM ANALYZE users;\nEOF\n",
    "echo 'DROP TABLE users' > /tmp/migration.sql",
    "grep -i 'drop table' /tmp/migration.sql",
    "mysql -e 'SHOW TABLES'",
    "mongosh --eval 'db.users.countDocuments({})'",
    "mongosh --eval 'db.users.deleteMany({expired: true})'",
    "redis-cli INFO",
    "redis-cli DEL session:42",
    "redis-cli SET note FLUSHALL",
    "etcdctl del /config/flag",
    "etcdctl get --prefix /registry",
    "curl -X DELETE http://elasticsearch:9200/logs-2023.01.01",
    "kafka-topics.sh --bootstrap-server kafka:9092 --list",
    "kubectl delete pod web-0",
    "kubectl delete pod -l app=web -n shop",
    "kubectl delete pods -A --field-selector=status.phase=Failed",
    "kubectl delete job cleanup -n shop",
    "kubectl delete -f old.yaml",
    "kubectl delete ns shop --dry-run=client",
    "kubectl delete configmap namespace",
    "kubectl get pods --all-namespaces",
    "kubectl get ns,pvc -A",
    "helm uninstall shop --dry-run",
    "helm upgrade --install shop ./chart",
    "helm list -A",
    "terraform plan -destroy",
    "terraform apply -auto-approve",
    "aws s3 rm s3://shop-data/tmp/x.json",
    "aws s3 rm s3://shop-data --recursive --dryrun",
    "aws s3 ls s3://shop-data --recursive",
    "gsutil rm gs://shop-data/x.json",
    "docker system prune -f",
    "docker system df",
    "docker volume ls",
    "docker compose down",
    "docker compose logs -f down",
    "git push --force",
    "echo kubectl delete ns shop",
    "echo 'terraform destroy'",
    "rsync -a --delete /backup/postgresql/ /var/lib/postgresql/16/main/",
]


@pytest.mark.parametrize("command", FOUND)
def test_what_destroys_data_is_found(command: str) -> None:
    assert RULE in of_shell(command)


@pytest.mark.parametrize("command", NOT_FOUND)
def test_daily_work_is_left_alone(command: str) -> None:
    assert RULE not in of_shell(command)


def test_the_message_quotes_the_statement_that_destroys() -> None:
    found = one(RULE, shell("psql -f /tmp/a.sql -c 'SELECT 1; DROP   TABLE users'"))
    assert found.message.endswith("drops a table: `DROP TABLE users`")


def test_the_message_names_the_variable_that_decides() -> None:
    found = one(RULE, shell('rm -rf "/data/${TENANT}"'))
    assert found.message == "`rm -rf /data/${TENANT}` deletes the data in /data when `${TENANT}` is empty"
    assert "${TENANT:?}" in found.fix


def test_a_comment_that_never_ends_hides_what_follows_and_costs_nothing() -> None:
    assert RULE not in of_shell('psql -c "/* DROP TABLE users"')
    assert RULE not in of_shell('psql -c "' + "/* " * 20_000 + '"')
