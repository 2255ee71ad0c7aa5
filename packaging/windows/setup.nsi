; The setup of the uploader for one user, without administrator's rights, in English, French and Dutch.
; packaging/make_dist.py compiles it with VERSION, PROGRAM (the packed folder), ICON, SETUP, and SIGN when it signs.
; It takes an envoi.ini that lies beside it along; /S asks nothing, /D=FOLDER (last) names another folder.

Unicode true
Target amd64-unicode
SetCompressor /SOLID lzma
RequestExecutionLevel user
ManifestDPIAware true
ManifestSupportedOS Win10

!include MUI2.nsh
!include LogicLib.nsh
!include FileFunc.nsh

!define KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\Navette"

Name "Navette"
OutFile "${SETUP}"
InstallDir "$LOCALAPPDATA\Programs\Navette"
InstallDirRegKey HKCU "${KEY}" InstallLocation
BrandingText "Navette ${VERSION}"
VIProductVersion "${VERSION}.0"
VIAddVersionKey /LANG=1033 ProductName "Navette"
VIAddVersionKey /LANG=1033 CompanyName "Navette"
VIAddVersionKey /LANG=1033 FileDescription "Navette"
VIAddVersionKey /LANG=1033 FileVersion "${VERSION}"
VIAddVersionKey /LANG=1033 ProductVersion "${VERSION}"
VIAddVersionKey /LANG=1033 LegalCopyright "Navette"

!define MUI_ICON "${ICON}"
!define MUI_UNICON "${ICON}"
!define MUI_FINISHPAGE_RUN "$INSTDIR\uploader.exe"
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"  ; the first one is for those whose Windows speaks none of them
!insertmacro MUI_LANGUAGE "French"
!insertmacro MUI_LANGUAGE "Dutch"

LangString RUNS ${LANG_ENGLISH} "Navette is still open. Close its window, then try again."
LangString RUNS ${LANG_FRENCH} "Navette est encore ouvert. Fermez sa fenêtre, puis réessayez."
LangString RUNS ${LANG_DUTCH} "Navette is nog open. Sluit het venster en probeer opnieuw."

!ifdef SIGN
  !uninstfinalize `${SIGN}`
!endif

; What is running cannot be deleted: then nothing else is touched either.
!macro REMOVE_PROGRAM
  ${If} ${FileExists} "$INSTDIR\uploader.exe"
    ClearErrors
    Delete "$INSTDIR\uploader.exe"
    ${If} ${Errors}
      MessageBox MB_OK|MB_ICONEXCLAMATION "$(RUNS)" /SD IDOK
      SetErrorLevel 3
      Abort "$(RUNS)"
    ${EndIf}
  ${EndIf}
  RMDir /r "$INSTDIR\_internal"
!macroend

Section
  SetOutPath "$INSTDIR"
  !insertmacro REMOVE_PROGRAM
  File /r "${PROGRAM}/*"
  ${If} ${FileExists} "$EXEDIR\envoi.ini"
    CopyFiles /SILENT "$EXEDIR\envoi.ini" "$INSTDIR\envoi.ini"
  ${EndIf}
  WriteUninstaller "$INSTDIR\uninstall.exe"
  CreateShortcut "$SMPROGRAMS\Navette.lnk" "$INSTDIR\uploader.exe"
  CreateShortcut "$DESKTOP\Navette.lnk" "$INSTDIR\uploader.exe"
  WriteRegStr HKCU "${KEY}" DisplayName "Navette"
  WriteRegStr HKCU "${KEY}" DisplayVersion "${VERSION}"
  WriteRegStr HKCU "${KEY}" DisplayIcon "$INSTDIR\uploader.exe"
  WriteRegStr HKCU "${KEY}" Publisher "Navette"
  WriteRegStr HKCU "${KEY}" InstallLocation "$INSTDIR"
  WriteRegStr HKCU "${KEY}" UninstallString '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKCU "${KEY}" QuietUninstallString '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKCU "${KEY}" NoModify 1
  WriteRegDWORD HKCU "${KEY}" NoRepair 1
  ${GetSize} "$INSTDIR" "/S=0K" $0 $1 $2
  WriteRegDWORD HKCU "${KEY}" EstimatedSize $0
SectionEnd

; The history of what was sent stays: it lies in the user's own data, not here.
Section un.Install
  !insertmacro REMOVE_PROGRAM
  Delete "$INSTDIR\envoi.ini"
  Delete "$INSTDIR\uninstall.exe"
  SetOutPath "$TEMP"
  RMDir "$INSTDIR"
  Delete "$SMPROGRAMS\Navette.lnk"
  Delete "$DESKTOP\Navette.lnk"
  DeleteRegKey HKCU "${KEY}"
SectionEnd
