"""What a logged-in account sees; never which kind of account that is."""

from ftp_server.collect_view import CollectView
from ftp_server.deposit_view import DepositView

View = DepositView | CollectView
